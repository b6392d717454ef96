// The REST API as an integrator uses it: problems, lists page by page, and streams that go on.
import assert from 'node:assert/strict';
import http from 'node:http';
import { parseEvents } from './events.mjs';
import { patience, within } from './wait.mjs';

export function assertProblem(reply, status, detail) {
	assert.equal(reply.status, status, reply.text);
	assert.match(reply.headers['content-type'], /^application\/problem\+json/);
	assert.match(reply.json.detail, detail);
}

export function assertPage(page, keys = ['items', 'next_cursor']) {
	assert.deepEqual(Object.keys(page).sort(), keys);
}

// All items of a list, in pages of LIMIT.
export async function everything(server, route, limit) {
	const items = [];
	for (let cursor = ''; cursor !== null; ) {
		const query = `limit=${limit}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
		const reply = await server.request(`${route}${route.includes('?') ? '&' : '?'}${query}`);
		assert.equal(reply.status, 200, reply.text);
		assertPage(reply.json);
		assert.ok(reply.json.items.length <= limit);
		assert.ok(reply.json.items.length > 0 || cursor === '', 'only a list without items has a page without items');
		items.push(...reply.json.items);
		cursor = reply.json.next_cursor;
	}
	return items;
}

// An event stream that is read while it goes on.
export class Stream {
	// Opens one and waits until it has begun.
	static async open(server, route, headers = {}) {
		const stream = new Stream(server, route, headers);
		await stream.until('the beginning of the stream', () => stream.status !== undefined);
		return stream;
	}

	constructor(server, route, headers) {
		this.text = '';
		this.ended = false;
		this.waiting = new Set();
		this.sent = http.request(server.url + route, { headers: { Accept: 'text/event-stream', ...headers }, agent: false }, (response) => {
			this.status = response.statusCode;
			this.headers = response.headers;
			response.setEncoding('utf8');
			response.on('data', (text) => {
				this.text += text;
				this.#wake();
			});
			for (const event of ['end', 'error', 'close'])
				response.on(event, () => {
					this.ended = true;
					this.#wake();
				});
			this.#wake();
		});
		this.sent.on('error', (error) => {
			this.error = error;
			this.ended = true;
			this.#wake();
		});
		this.sent.end();
	}

	#wake() {
		for (const look of this.waiting) look();
	}

	get events() {
		return parseEvents(this.text);
	}

	until(what, condition, limit = patience) {
		let look;
		const seen = new Promise((resolve) => {
			look = () => condition(this) && resolve();
			this.waiting.add(look);
			look();
		});
		return within(what, seen, limit).finally(() => this.waiting.delete(look));
	}

	// Waits for an event and gives it.
	async event(condition) {
		await this.until('an event', () => this.events.some(condition));
		return this.events.find(condition);
	}

	close() {
		this.sent.destroy();
	}
}
