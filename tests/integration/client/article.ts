// Add an article and get it in an answer.
import { type Api, answered, good } from './tasks.js';

export default async function (api: Api): Promise<string> {
	const article = good(
		await api.POST('/api/v1/kb/articles', {
			body: { title: 'How do I rename a workspace?', content: 'Open **Workspace** and click its name.', category: 'Technical' },
		}),
	);
	good(await api.POST('/api/v1/kb/reindex'));
	const answer = answered(good(await api.POST('/api/v1/query', { body: { message: 'How do I rename a workspace?' } })));
	return `${answer.metadata.kb_results.some((found) => found.id === article.id)} ${answer.response}`;
}
