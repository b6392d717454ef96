// TLS in the server itself: what clients get, what is refused, and new certificates while it serves.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { Authority } from './lib/certificates.mjs';
import { Installation } from './lib/files.mjs';
import { parseReplies } from './lib/http.mjs';
import { Server, runProgram, withServer } from './lib/server.mjs';
import { until, within } from './lib/wait.mjs';

const authority = new Authority();

// An installation whose server speaks TLS, with the files config/tls.pem and config/tls.key.
function installationWith(issued) {
	const installation = new Installation();
	use(installation, issued);
	installation.edit('config/smartsupport.yaml', 'server:\n', 'server:\n  tls: {certificate: tls.pem, key: tls.key}\n');
	return installation;
}

function use(installation, { certificate, key }) {
	installation.write('config/tls.pem', fs.readFileSync(certificate));
	installation.write('config/tls.key', fs.readFileSync(key));
}

// One request by a client that checks the certificate, without an AGENT on a connection of its own. Gives {status, headers, text, serial, reused}.
function send(server, path, { method = 'GET', body, headers = {}, agent = false, named } = {}) {
	const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
	const reply = new Promise((resolve, reject) => {
		const all = bytes === undefined ? headers : { 'Content-Type': 'application/json', ...(headers['Transfer-Encoding'] ? {} : { 'Content-Length': bytes.length }), ...headers };
		const request = https.request(server.url + path, { method, headers: all, agent, ca: authority.ca, ...named }, (response) => {
			const serial = request.socket.getPeerCertificate().serialNumber;
			const parts = [];
			response.on('data', (part) => parts.push(part));
			response.on('error', reject);
			response.on('end', () =>
				resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(parts).toString(), serial, reused: request.reusedSocket }),
			);
		});
		request.on('error', (error) => reject(Object.assign(error, { reused: request.reusedSocket })));
		request.end(bytes);
	});
	return within(`${method} ${path}`, reply);
}

function ask(server, message, options) {
	return send(server, '/api/v1/query', { method: 'POST', body: { message }, ...options });
}

// A connection that has shaken hands. Gives the socket, whose `received` grows and whose `over` tells that it ended.
async function connect(server, options = {}) {
	const socket = tls.connect({ port: server.port, host: '127.0.0.1', ca: authority.ca, ...options });
	socket.received = Buffer.alloc(0);
	socket.on('data', (part) => (socket.received = Buffer.concat([socket.received, part])));
	socket.on('end', () => (socket.ended = true));
	socket.on('close', () => (socket.over = true));
	const ready = new Promise((resolve, reject) => {
		socket.on('secureConnect', resolve);
		socket.on('error', reject);
	});
	await within('a handshake', ready);
	return socket;
}

async function refusesHandshake(server, options, expected) {
	await assert.rejects(connect(server, options), expected);
}

test('browsers are told to come over TLS from then on, under the names of the server', async () => {
	const name = 'support.example.com';
	const installation = installationWith(authority.issue());
	installation.edit('config/smartsupport.yaml', 'server:\n', `server:\n  hosts: [${name}]\n`);
	const header = 'strict-transport-security';
	// The certificate is for the address, whatever name is asked for.
	const named = { checkServerIdentity: () => undefined };
	await withServer({ installation, workers: 1 }, async (server) => {
		for (const path of ['/livez', '/no-such', '/docs/errors']) assert.equal((await send(server, path, { headers: { Host: `${name}:${server.port}` }, named })).headers[header], 'max-age=31536000', path);
		for (const host of ['localhost', '127.0.0.1', '[::1]']) assert.equal((await send(server, '/livez', { headers: { Host: host }, named })).headers[header], undefined, host);
	});
	const behind = new Installation();
	behind.edit('config/smartsupport.yaml', 'server:\n', `server:\n  hosts: [${name}]\n  trusted_proxies: [127.0.0.1]\n`);
	await withServer({ installation: behind, workers: 1 }, async (server) => {
		const told = async (headers) => (await server.request('/livez', { headers: { Host: name, ...headers } })).headers[header];
		assert.equal(await told({ 'X-Forwarded-Proto': 'https' }), 'max-age=31536000');
		for (const headers of [{}, { 'X-Forwarded-Proto': 'http' }, { 'X-Forwarded-Proto': 'https, http' }]) assert.equal(await told(headers), undefined);
	});
	const alone = new Installation();
	alone.edit('config/smartsupport.yaml', 'server:\n', `server:\n  hosts: [${name}]\n`);
	await withServer({ installation: alone, workers: 1 }, async (server) => {
		const { headers } = await server.request('/livez', { headers: { Host: name, 'X-Forwarded-Proto': 'https' } });
		assert.equal(headers[header], undefined, 'of a proxy that nobody trusts');
	});
});

test('a client that checks the certificate is answered, again and again on one connection', async () => {
	const issued = authority.issue();
	await withServer({ installation: installationWith(issued) }, async (server) => {
		assert.match(server.url, /^https:/);
		const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
		for (let i = 0; i < 20; i++) {
			const reply = await ask(server, `How do I reset my password? ${i}`, { agent });
			assert.equal(reply.status, 200, reply.text);
			assert.equal(reply.serial, issued.serial);
			assert.equal(reply.reused, i > 0);
			assert.match(JSON.parse(reply.text).response, /Forgot password/);
		}
		agent.destroy();
		assert.equal(await server.value("SELECT count(*) FROM messages WHERE role = 'user'"), 20);
	});
});

test('large bodies come through in both directions, and streams as they are made', async () => {
	await withServer({ installation: installationWith(authority.issue()) }, async (server) => {
		const articles = Array.from({ length: 300 }, (_, i) => ({ title: `Export ${i}`, content: `${i} ${'é'.repeat(5000)}` }));
		const body = Buffer.from(JSON.stringify(articles));
		assert.ok(body.length > 3000000);
		const imported = await send(server, '/api/v1/kb/import', { method: 'POST', body });
		assert.equal(imported.status, 200, imported.text);
		const chunked = await send(server, '/api/v1/kb/import', { method: 'POST', body, headers: { 'Transfer-Encoding': 'chunked' } });
		assert.equal(chunked.status, 200, chunked.text);
		const listed = await send(server, '/api/v1/kb/articles?limit=200');
		assert.equal(listed.status, 200, listed.text);
		const events = await ask(server, 'How do I reset my password?', { headers: { Accept: 'text/event-stream' } });
		assert.match(events.headers['content-type'], /^text\/event-stream/);
		assert.match(events.text, /^event: final$/m);
	});
});

test('TLS 1.2 and 1.3 are spoken, and nothing older; HTTP/1.1 and nothing newer', async () => {
	await withServer({ installation: installationWith(authority.issue()), workers: 1 }, async (server) => {
		for (const version of ['TLSv1.2', 'TLSv1.3']) {
			const socket = await connect(server, { minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] });
			assert.equal(socket.getProtocol(), version);
			assert.equal(socket.alpnProtocol, 'http/1.1');
			socket.destroy();
		}
		const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
		await refusesHandshake(server, old, /protocol version/);
		await refusesHandshake(server, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' }, /handshake failure/);
		await refusesHandshake(server, { ALPNProtocols: ['h2'] }, /no application protocol|alert number 120/);
		assert.equal((await send(server, '/api/v1/health')).status, 200);
	});
});

test('what is no HTTP is answered below TLS as well, and the client is told that it has got all', async () => {
	await withServer({ installation: installationWith(authority.issue()), workers: 1 }, async (server) => {
		const wrong = await connect(server);
		wrong.write('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
		await until('the end', () => wrong.ended);
		assert.equal(parseReplies(wrong.received)[0].status, 400);
		const large = await connect(server);
		large.write(`POST /api/v1/query HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n${'x'.repeat(500000)}`);
		await until('the end', () => large.ended);
		assert.equal(parseReplies(large.received)[0].status, 413);
		const last = await connect(server);
		last.write('GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
		await until('the end', () => last.ended);
		assert.equal(parseReplies(last.received)[0].status, 200);
	});
});

test('a client that waits for 100 Continue gets it', async () => {
	await withServer({ installation: installationWith(authority.issue()), workers: 1 }, async (server) => {
		const body = JSON.stringify({ message: 'How do I reset my password?' });
		const socket = await connect(server);
		socket.write(`POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`);
		await until('100 Continue', () => socket.received.toString() === 'HTTP/1.1 100 Continue\r\n\r\n');
		socket.write(body);
		await until('the reply', () => parseReplies(socket.received).length === 1);
		assert.equal(parseReplies(socket.received)[0].status, 200);
		socket.destroy();
	});
});

test('plain HTTP is told where it is, and other bytes end the connection', async () => {
	await withServer({ installation: installationWith(authority.issue()), workers: 1 }, async (server) => {
		const reply = await within(
			'a reply',
			new Promise((resolve, reject) => http.get(`http://127.0.0.1:${server.port}/api/v1/health`, resolve).on('error', reject)),
		);
		let text = '';
		for await (const part of reply) text += part;
		assert.equal(reply.statusCode, 400);
		assert.match(JSON.parse(text).detail, /https:\/\//);
		for (const bytes of [Buffer.from('SSH-2.0-x\r\n'), Buffer.alloc(3000, 0x16), Buffer.from('\x16\x03\x01\xff\xff', 'latin1')]) {
			const socket = net.connect(server.port, '127.0.0.1');
			socket.on('error', () => {});
			socket.write(bytes);
			socket.resume();
			await within('the end of the connection', new Promise((resolve) => socket.on('close', resolve)));
		}
		assert.equal((await send(server, '/api/v1/health')).status, 200);
	});
});

test('a handshake or a record that does not get on is cut, even while it goes on slowly', async () => {
	await withServer({ installation: installationWith(authority.issue()), workers: 1 }, async (server) => {
		const silent = net.connect(server.port, '127.0.0.1');
		const slow = net.connect(server.port, '127.0.0.1');
		// A connection that has shaken hands, through a relay that can go on with bytes of its own.
		const record = net.connect(server.port, '127.0.0.1');
		const relay = net.createServer((client) => client.on('error', () => {}).pipe(record).pipe(client));
		await new Promise((resolve) => relay.listen(0, '127.0.0.1', resolve));
		const client = await connect({ port: relay.address().port });
		client.on('error', () => {});
		relay.close();
		const sockets = [silent, slow, record];
		const over = sockets.map((socket) => new Promise((resolve) => socket.resume().on('error', () => {}).on('close', resolve)));
		// The beginning of a record of 16 KiB, a byte at a time.
		slow.write(Buffer.from([0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3]));
		record.write(Buffer.from([0x17, 3, 3, 0x40, 0]));
		const dripping = setInterval(() => {
			slow.write(Buffer.alloc(1));
			record.write(Buffer.alloc(1));
		}, 100);
		try {
			await within('the end of all', Promise.all(over));
		} finally {
			clearInterval(dripping);
		}
		assert.equal((await send(server, '/api/v1/health')).status, 200);
	});
});

test('a new certificate takes over under load without a failed request', async () => {
	const [first, second] = [authority.issue(), authority.issue()];
	const installation = installationWith(first);
	await withServer({ installation }, async (server) => {
		const serials = new Set();
		let over = false;
		let count = 0;
		const clients = Array.from({ length: 4 }, async (_, client) => {
			const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
			while (!over) {
				const message = `Why does my export crash? ${client} ${count}`;
				// A kept connection that was idle may be closed by a worker that leaves just when it is used again, as any client must know.
				const reply = await ask(server, message, { agent }).catch((error) => (error.reused ? ask(server, message) : Promise.reject(error)));
				assert.equal(reply.status, 200, reply.text);
				serials.add(reply.serial);
				count++;
			}
			agent.destroy();
		});
		await until('some replies', () => count > 20);
		use(installation, second);
		server.signal('SIGHUP');
		await server.untilLogged('the new configuration has taken over');
		await until('the new certificate', () => serials.has(second.serial));
		over = true;
		await Promise.all(clients);
		assert.deepEqual([...serials].filter(Boolean), [first.serial, second.serial]);
		assert.equal(await server.value("SELECT count(*) FROM messages WHERE role = 'user'"), count);

		// One that is not good changes nothing.
		installation.write('config/tls.key', fs.readFileSync(first.key));
		server.signal('SIGHUP');
		await server.untilLogged('the old one still serves');
		assert.ok(server.logged('the key does not belong to the certificate'), server.stderr);
		assert.equal((await send(server, '/api/v1/health')).serial, second.serial);
	});
});

test('a start and a check name what is wrong with a certificate', async () => {
	const issued = authority.issue();
	const check = async (change) => {
		const installation = installationWith(issued);
		change(installation);
		const result = await runProgram(['check', '--config', installation.config], { cwd: installation.folder, env: installation.env });
		return { ...result, place: `${installation.config}:${installation.read('config/smartsupport.yaml').split('\n').findIndex((line) => line.includes('tls:')) + 1}:`, installation };
	};
	const good = await check(() => {});
	assert.equal(good.code, 0, good.stderr);
	assert.equal(good.stderr, '');
	for (const [change, expected] of [
		[(installation) => fs.rmSync(installation.path('config/tls.key')), /tls\.key: the key of TLS cannot be read: No such file/],
		[(installation) => installation.write('config/tls.key', fs.readFileSync(authority.issue().key)), /tls\.key: the key does not belong to the certificate in .*tls\.pem/],
		[(installation) => installation.write('config/tls.pem', 'x'), /tls\.pem: is no certificate for TLS/],
		[(installation) => installation.write('config/tls.key', 'x'), /tls\.key: is no private key for TLS/],
		[(installation) => installation.edit('config/smartsupport.yaml', ', key: tls.key', ''), /key/],
	]) {
		const { code, stderr, place, installation } = await check(change);
		assert.equal(code, 1);
		assert.match(stderr, expected);
		assert.ok(stderr.startsWith(place), stderr);
		await assert.rejects(Server.start({ installation }), expected);
	}
	const short = await check((installation) => use(installation, authority.issue({ days: 5 })));
	assert.equal(short.code, 0);
	assert.match(short.stderr, /level=warning .*tls\.pem: the certificate expires in [45] days; renew it/);
});
