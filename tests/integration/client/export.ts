// Export a conversation.
import { type Api, answered, good } from './tasks.js';

export default async function (api: Api): Promise<string> {
	const { conversation_id: id } = answered(good(await api.POST('/api/v1/query', { body: { message: 'How do I reset my password?' } })));
	const kept = good(await api.GET('/api/v1/conversations/{id}/export', { params: { path: { id } } }));
	return `${kept.conversation.id === id} ${kept.messages.map((message) => message.role).join(' ')}`;
}
