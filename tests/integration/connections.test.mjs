// How the workers share out connections that stay open.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { RawConnection } from './lib/http.mjs';
import { parseMetrics, untilAlone } from './lib/metrics.mjs';
import { withServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { sharesOf } from './lib/workers.mjs';

const ask = 'GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n';

test('every worker gets its share of the connections that stay open', async () => {
	await withServer({ installation: new Installation(), workers: 2 }, async (server) => {
		await until('both workers', async () => {
			const metrics = parseMetrics((await server.request('/metrics')).text);
			return metrics.get('smartsupport_workers') === 2;
		});
		await untilAlone(server);
		const workers = server.workers();
		const connections = [];
		try {
			let shares;
			// A busy machine may keep one of them from its turn for a while; then it gets more of those that follow.
			do {
				assert.ok(connections.length < 400, `the workers have ${shares?.join(' and ')}`);
				const more = Array.from({ length: 40 }, () => new RawConnection(server.port));
				connections.push(...more);
				for (const connection of more) connection.write(ask);
				for (const connection of more) await connection.replies();
				await until('a worker for each connection', () => {
					shares = sharesOf(server, connections, workers);
					return shares[0] + shares[1] === connections.length;
				});
			} while (Math.min(...shares) < connections.length / 4);
			const metrics = parseMetrics((await server.request('/metrics')).text);
			assert.ok(metrics.get('smartsupport_connections') >= connections.length);
		} finally {
			for (const connection of connections) connection.destroy();
		}
		await untilAlone(server);
	});
});
