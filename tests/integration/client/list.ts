// List the conversations of a user, page by page.
import { type Api, answered, good } from './tasks.js';

export default async function (api: Api): Promise<string> {
	for (const message of ['How do I reset my password?', 'Where can I find my invoices?'])
		answered(good(await api.POST('/api/v1/query', { body: { message, user_id: 'user_list' } })));
	const questions: (string | undefined)[] = [];
	let cursor: string | null = null;
	do {
		const query: { user_id: string; limit: number; cursor?: string } = { user_id: 'user_list', limit: 1 };
		if (cursor !== null) query.cursor = cursor;
		const page = good(await api.GET('/api/v1/conversations', { params: { query } }));
		questions.push(...page.items.map((item) => item.question));
		cursor = page.next_cursor;
	} while (cursor !== null);
	return questions.join(' ');
}
