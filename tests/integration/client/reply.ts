// Reply as a human.
import { type Api, answered, good } from './tasks.js';

export default async function (api: Api): Promise<string> {
	const { conversation_id: id } = answered(good(
		await api.POST('/api/v1/query', { body: { message: 'I was charged TWICE!!! Give me my money back NOW!!!' } }),
	));
	good(await api.POST('/api/v1/conversations/{id}/reply', { params: { path: { id } }, body: { message: 'It is on its way.', author: 'Kim' } }));
	const { messages } = good(await api.GET('/api/v1/conversations/{id}', { params: { path: { id } } }));
	return messages.map((message) => `${message.role}: ${message.content}`).join('\n');
}
