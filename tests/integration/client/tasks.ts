// What an integrator does with a client that was made of the OpenAPI document: one function a task.
import type { Client } from 'openapi-fetch';
import type { paths } from './api.js';

export type Api = Client<paths, 'application/json'>;

// The data of a reply that must be there.
export function good<Data>({ data, error, response }: { data?: Data; error?: unknown; response: Response }): Data {
	if (data === undefined) throw new Error(`${response.url}: ${response.status} ${JSON.stringify(error)}`);
	return data;
}

// A reply without a body.
export function done({ error, response }: { error?: unknown; response: Response }): void {
	if (!response.ok) throw new Error(`${response.url}: ${response.status} ${JSON.stringify(error)}`);
}

// The answer to a question; a workflow may also wait for somebody.
export function answered<Reply extends object>(reply: Reply): Extract<Reply, { response: string }> {
	if (!('response' in reply)) throw new Error(`there is no answer yet: ${JSON.stringify(reply)}`);
	return reply as Extract<Reply, { response: string }>;
}
