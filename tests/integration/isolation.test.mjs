// Nothing is fetched at run time: the program works where there is no network.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { program, root, temporaryFolder } from './lib/files.mjs';
import { environment } from './lib/server.mjs';

const run = promisify(execFile);
const unshare = process.getuid() === 0 ? ['unshare', '-n'] : ['unshare', '-rn'];
// Gives the empty network its loopback interface: SIOCSIFFLAGS with IFF_UP | IFF_RUNNING.
const loopback = 'perl -e \'socket(S, 2, 2, 0) or die; my $r = pack("a16s x22", "lo", 0x41); ioctl(S, 0x8914, $r) or die\'';

function permitted(command) {
	try {
		execFileSync(command[0], command.slice(1), { stdio: 'ignore' });
		return true;
	} catch {
		return false;
	}
}

const alone = permitted([...unshare, 'true']) ? false : 'this machine does not permit a network of one\'s own';
const withLoopback = alone || (permitted([...unshare, 'sh', '-c', loopback]) ? false : 'there is no perl to raise a loopback interface');

test('ask answers without any network', { skip: alone }, async () => {
	const { stdout } = await run(unshare[0], [...unshare.slice(1), program, 'ask', 'How do I reset my password?'], { cwd: root, env: environment(temporaryFolder()) });
	assert.match(stdout, /^Category +Account/m);
});

test('the server answers where there is nothing but the loopback interface', { skip: withLoopback }, async () => {
	const child = path.join(root, 'tests/integration/lib/isolated.mjs');
	const command = [...unshare.slice(1), 'sh', '-c', `${loopback} && exec "$0" "$@"`, process.execPath, child];
	const { stdout } = await run(unshare[0], command, { cwd: root, timeout: 120000 });
	assert.deepEqual(JSON.parse(stdout), { interfaces: ['lo'], category: 'Account', stored: 1 });
});
