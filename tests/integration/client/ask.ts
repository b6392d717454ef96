// Ask a question and go on in its conversation.
import { type Api, answered, good } from './tasks.js';

export default async function (api: Api): Promise<string> {
	const first = answered(good(await api.POST('/api/v1/query', { body: { message: 'How do I reset my password?', user_id: 'user_1' } })));
	const next = answered(good(
		await api.POST('/api/v1/query', {
			body: { message: 'The link does not work', user_id: 'user_1', conversation_id: first.conversation_id },
		}),
	));
	const priority: number = next.priority;
	return `${first.response} ${next.conversation_id === first.conversation_id} ${priority > 0}`;
}
