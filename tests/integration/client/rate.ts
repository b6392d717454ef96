// Say what an answer was worth.
import { type Api, answered, done, good } from './tasks.js';

export default async function (api: Api): Promise<string> {
	const { metadata } = answered(good(await api.POST('/api/v1/query', { body: { message: 'How do I reset my password?' } })));
	done(await api.POST('/api/v1/feedback', { body: { turn_id: metadata.turn_id, was_helpful: true, rating: 5 } }));
	const { items } = good(await api.GET('/api/v1/kb/articles', { params: { query: { limit: 200 } } }));
	return items.map((item) => `${item.id} ${item.helpful}`).join();
}
