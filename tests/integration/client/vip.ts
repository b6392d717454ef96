// Make a user a VIP, whose questions then count more, and remember of them what the integrator likes to.
import { type Api, answered, good } from './tasks.js';

export default async function (api: Api): Promise<string> {
	const ask = { body: { message: 'How do I reset my password?', user_id: 'user_vip' } };
	const before = answered(good(await api.POST('/api/v1/query', ask)));
	const body = { vip: true, metadata: { plan: 'team', seats: 12 } };
	const user = good(await api.PATCH('/api/v1/users/{id}', { params: { path: { id: 'user_vip' } }, body }));
	const after = answered(good(await api.POST('/api/v1/query', ask)));
	return `${user.vip} ${user.metadata?.['plan']} ${after.priority > before.priority}`;
}
