// How the workers share out connections that stay open.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { RawConnection } from './lib/http.mjs';
import { parseMetrics, untilAlone } from './lib/metrics.mjs';
import { withServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const ask = 'GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n';

function sockets(pid) {
	const folder = `/proc/${pid}/fd`;
	return fs.readdirSync(folder).filter((fd) => {
		try {
			return fs.readlinkSync(`${folder}/${fd}`).startsWith('socket:');
		} catch {
			return false; // closed meanwhile
		}
	}).length;
}

test('every worker gets its share of the connections that stay open', async () => {
	await withServer({ installation: new Installation(), workers: 2 }, async (server) => {
		await until('both workers', async () => {
			const metrics = parseMetrics((await server.request('/metrics')).text);
			return metrics.get('smartsupport_workers') === 2;
		});
		await untilAlone(server);
		const workers = server.workers();
		const before = workers.map(sockets);
		const connections = [];
		for (let i = 0; i < 40; i++) connections.push(new RawConnection(server.port));
		try {
			for (const connection of connections) connection.write(ask);
			for (const connection of connections) await connection.replies();
			const shares = workers.map((pid, i) => sockets(pid) - before[i]);
			assert.equal(shares[0] + shares[1], 40);
			// About the half each; a busy machine may keep one of them from its turn for a while.
			assert.ok(Math.min(...shares) >= 8, `the workers have ${shares.join(' and ')}`);
			const metrics = parseMetrics((await server.request('/metrics')).text);
			assert.ok(metrics.get('smartsupport_connections') >= 40);
		} finally {
			for (const connection of connections) connection.destroy();
		}
		await untilAlone(server);
	});
});
