// Say that a conversation is resolved.
import { type Api, answered, good } from './tasks.js';

export default async function (api: Api): Promise<string> {
	const { conversation_id: id } = answered(good(await api.POST('/api/v1/query', { body: { message: 'How do I reset my password?' } })));
	const conversation = good(await api.POST('/api/v1/conversations/{id}/resolve', { params: { path: { id } } }));
	return conversation.status;
}
