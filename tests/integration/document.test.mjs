// The OpenAPI document as tools see it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { root, temporaryFolder } from './lib/files.mjs';
import { Server, runCommand } from './lib/server.mjs';

let server;
let file;
before(async () => {
	server = await Server.start({ workers: 1 });
	file = path.join(temporaryFolder(), 'openapi.json');
	fs.writeFileSync(file, (await server.request('/openapi.json')).text);
});
after(() => server.stop());

test("Redocly's recommended rules find nothing to improve", async () => {
	const command = path.join(root, 'node_modules/.bin/redocly');
	const { code, stdout, stderr } = await runCommand(command, ['lint', '--extends', 'recommended', '--format', 'json', file], {
		cwd: path.dirname(file),
		env: { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
	});
	const { totals, problems } = JSON.parse(stdout);
	const found = problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location.map((place) => place.pointer)}`);
	assert.deepEqual(found, []);
	assert.deepEqual(totals, { errors: 0, warnings: 0, ignored: 0 });
	assert.equal(code, 0, stderr);
});
