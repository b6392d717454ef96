// HTTP as a client uses it, and raw bytes for what no client would send.
import http from 'node:http';
import net from 'node:net';
import { patience, within } from './wait.mjs';

// One request. The body is sent as it is when it is text or bytes, else as JSON. Gives
// {status, headers, text, json}; json is undefined when the reply is none. Without an AGENT it has a connection of its
// own, which any worker may take; one that was kept could be closed by a worker that ends just when it is used again.
export function request(url, { method = 'GET', body, headers = {}, agent = false, limit = patience } = {}) {
	const bytes =
		body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
	const all = { ...headers };
	if (bytes !== undefined && !Object.keys(all).some((name) => name.toLowerCase() === 'content-type'))
		all['Content-Type'] = 'application/json';
	if (bytes !== undefined) all['Content-Length'] ??= Buffer.byteLength(bytes);
	const reply = new Promise((resolve, reject) => {
		const sent = http.request(url, { method, headers: all, agent }, (response) => {
			const chunks = [];
			response.on('data', (chunk) => chunks.push(chunk));
			response.on('error', reject);
			response.on('end', () => resolve(finish(response.statusCode, response.headers, Buffer.concat(chunks))));
		});
		sent.on('error', reject);
		sent.end(bytes);
	});
	return within(`${method} ${url}`, reply, limit);
}

function finish(status, headers, bytes) {
	const text = bytes.toString('utf8');
	let json;
	try {
		json = JSON.parse(text);
	} catch {
		// Not every reply is JSON; tests that need it look at the member.
	}
	return { status, headers, text, json };
}

// A connection whose bytes are the test's own.
export class RawConnection {
	constructor(port, host = '127.0.0.1') {
		this.received = Buffer.alloc(0);
		this.closed = false;
		this.waiting = new Set();
		this.socket = net.connect({ port, host, allowHalfOpen: true });
		this.socket.on('data', (chunk) => {
			this.received = Buffer.concat([this.received, chunk]);
			this.#wake();
		});
		for (const event of ['end', 'close', 'error'])
			this.socket.on(event, () => {
				this.closed = true;
				this.#wake();
			});
	}

	#wake() {
		for (const look of this.waiting) look();
	}

	write(data) {
		if (!this.socket.destroyed) this.socket.write(data);
	}

	// Waits until CONDITION(this) is true.
	wait(what, condition, limit = patience) {
		let look;
		const seen = new Promise((resolve) => {
			look = () => condition(this) && resolve();
			this.waiting.add(look);
			look();
		});
		return within(what, seen, limit).finally(() => this.waiting.delete(look));
	}

	// Waits for COUNT complete replies, or for the end of the connection, and gives the replies.
	async replies(count = 1, limit = patience) {
		await this.wait(`${count} replies`, () => this.closed || parseReplies(this.received).length >= count, limit);
		return parseReplies(this.received);
	}

	destroy() {
		this.socket.destroy();
	}
}

// The complete replies in BYTES. Replies without Content-Length last until the end.
export function parseReplies(bytes) {
	const replies = [];
	for (let at = 0; ; ) {
		const end = bytes.indexOf('\r\n\r\n', at);
		if (end < 0) return replies;
		const [first, ...lines] = bytes.subarray(at, end).toString('latin1').split('\r\n');
		const headers = Object.fromEntries(
			lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
		);
		const status = Number(first.split(' ')[1]);
		const length = Number(headers['content-length'] ?? bytes.length - end - 4);
		if (bytes.length < end + 4 + length) return replies;
		// An interim reply announces the real one.
		if (status >= 200) replies.push(finish(status, headers, bytes.subarray(end + 4, end + 4 + length)));
		at = end + 4 + (status >= 200 ? length : 0);
	}
}

// Sends BYTES on a new connection, waits for COUNT replies (or the end) and closes it.
export async function exchange(port, bytes, count = 1, limit = patience) {
	const connection = new RawConnection(port);
	try {
		connection.write(bytes);
		return await connection.replies(count, limit);
	} finally {
		connection.destroy();
	}
}
