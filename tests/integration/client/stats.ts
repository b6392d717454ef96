// Read the statistics.
import { type Api, answered, good } from './tasks.js';

export default async function (api: Api): Promise<string> {
	answered(good(await api.POST('/api/v1/query', { body: { message: 'How do I reset my password?' } })));
	const stats = good(await api.GET('/api/v1/stats'));
	const rate: number = stats.escalation_rate;
	return `${stats.total_queries > 0} ${rate <= 1} ${(stats.categories['Account'] ?? 0) > 0}`;
}
