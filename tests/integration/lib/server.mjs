// Starts the built server, talks to it and stops it. Every server has its own folder, database and port,
// and what the sanitizers say of any of its processes is a failure of its test.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Contract } from './contract.mjs';
import { cache, program, root, temporaryFolder } from './files.mjs';
import { RawConnection, exchange, request } from './http.mjs';
import { parseLine } from './logfmt.mjs';
import { newDatabase, query, single, urlOf } from './store.mjs';
import { patience, until, within } from './wait.mjs';

const running = new Set();
let contract; // of the program, once a server has told it
process.on('exit', () => {
	for (const server of running) server.killAll();
});

// The environment of every program that a test starts: nothing of the caller's configuration. The leak
// check takes what lies before a plugin's thread-local memory for a header when that memory happens to
// begin a page, and ends with a signal; tools/test gives it the same option.
export function environment(sanitizerLogs, more) {
	return {
		PATH: process.env.PATH,
		HOME: process.env.HOME ?? '/',
		XDG_CACHE_HOME: cache,
		ASAN_OPTIONS: `log_path=${sanitizerLogs}/asan:intercept_tls_get_addr=0`,
		UBSAN_OPTIONS: `log_path=${sanitizerLogs}/ubsan:print_stacktrace=1`,
		TSAN_OPTIONS: `log_path=${sanitizerLogs}/tsan`,
		...more,
	};
}

function assertNoReports(sanitizerLogs) {
	// The leak check says so when a thread ends while it looks; that is no finding.
	const harmless = /^==\d+==Unable to get registers from thread \d+\.\n$/;
	const reports = fs
		.readdirSync(sanitizerLogs)
		.map((name) => fs.readFileSync(path.join(sanitizerLogs, name), 'utf8'))
		.filter((report) => !harmless.test(report));
	assert.deepEqual(reports, [], 'the sanitizers report nothing');
}

// Runs the program to its end. Gives {code, signal, stdout, stderr}. STDOUT may be an open file instead; INPUT is what it
// reads.
export function runProgram(args, options) {
	return runCommand(program, args, options);
}

// The same of another program that is built here.
export async function runCommand(command, args, { env = {}, cwd = root, limit = patience, stdout: file = 'pipe', input } = {}) {
	const logs = temporaryFolder();
	const child = spawn(command, args, { cwd, env: environment(logs, env), stdio: [input === undefined ? 'ignore' : 'pipe', file, 'pipe'] });
	child.stdin?.on('error', () => {}).end(input); // it may end without reading
	let [stdout, stderr] = ['', ''];
	child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text));
	child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
	const over = new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
	});
	try {
		const result = await within(`${path.basename(command)} ${args.join(' ')}`, over, limit);
		assertNoReports(logs);
		return result;
	} finally {
		child.kill('SIGKILL');
	}
}

function processState(pid) {
	try {
		const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		return { state: fields[0], parent: Number(fields[1]), threads: Number(fields[17]), started: fields[19] };
	} catch {
		return null;
	}
}

// Whether PID is a process that runs, and be it with a thread that is just ending (and not one that only waits to be collected): what it
// had open may be so until then. STARTED tells it from a later process with the same number.
export function lives(pid, started) {
	const process = processState(pid);
	if (process === null || ('ZX'.includes(process.state) && process.threads <= 1)) return false;
	return started === undefined || process.started === started;
}

// Whether SIGSTOP has stopped the process PID.
export function isStopped(pid) {
	return processState(pid)?.state === 'T';
}

export class Server {
	// Starts the server and waits until it listens. Options: env, config (a file), installation (an
	// Installation, which gives both), executable (another program than what was built here), workers, wrap (a command that runs it),
	// database, dies (whether workers may crash).
	static async start(options = {}) {
		const server = new Server(options);
		try {
			await server.listening();
		} catch (error) {
			server.killAll();
			throw new Error(`the server does not start: ${error.message}\n${server.stderr}`);
		}
		return server;
	}

	constructor({ env = {}, config, installation, executable = program, workers = 2, wrap = [], database, port = 0, dies = false } = {}) {
		this.dies = dies;
		this.folder = temporaryFolder();
		this.database = database ?? newDatabase(path.join(this.folder, 'support.db'));
		this.sanitizerLogs = path.join(this.folder, 'sanitizers');
		fs.mkdirSync(this.sanitizerLogs);
		this.stderr = '';
		this.replies = [];
		this.pids = new Map(); // to when the process started, which tells it from a later one
		const file = config ?? installation?.config ?? path.join(root, 'config/smartsupport.yaml');
		const command = [...wrap, executable, 'serve', '--config', file];
		this.process = spawn(command[0], command.slice(1), {
			cwd: this.folder,
			env: environment(this.sanitizerLogs, {
				PORT: String(port),
				WORKERS: String(workers),
				DATABASE_URL: urlOf(this.database),
				...installation?.env,
				...env,
			}),
			stdio: ['ignore', 'ignore', 'pipe'],
		});
		this.#remember(this.process.pid);
		this.process.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text));
		// A test that fails before it stops the server must not keep this process; whoever waits for it has a timer.
		this.process.unref();
		this.process.stderr.unref();
		this.exited = new Promise((resolve, reject) => {
			this.process.on('error', reject);
			// The pipe ends when the last worker is gone as well; the exit code does not wait for that.
			this.process.on('exit', (code, signal) => {
				this.exit = { code, signal };
				resolve(this.exit);
			});
		});
		running.add(this);
	}

	// The log so far, a list of objects. Lines that are none of the log are left out.
	get log() {
		return this.stderr.split('\n').map(parseLine).filter(Boolean);
	}

	logged(text) {
		return this.log.some((line) => line.message?.includes(text));
	}

	async untilLogged(text, limit = patience) {
		await until(`"${text}" in the log`, () => this.logged(text), limit);
	}

	async listening() {
		await until('listening', () => {
			if (this.exit) throw new Error(`it ended with ${JSON.stringify(this.exit)}`);
			return this.logged('listening on ');
		});
		const line = this.log.find((entry) => entry.message?.includes('listening on '));
		this.url = /https?:\/\/\S+/.exec(line.message)[0];
		this.port = Number(new URL(this.url).port);
		this.workers();
	}

	get pid() {
		return this.process.pid;
	}

	#remember(pid) {
		if (!this.pids.has(pid)) this.pids.set(pid, processState(pid)?.started);
	}

	// The processes of the workers as they are now.
	workers() {
		const found = [];
		for (const name of fs.readdirSync('/proc')) {
			if (/^\d+$/.test(name) && processState(name)?.parent === this.pid && lives(name)) found.push(Number(name));
		}
		for (const pid of found) this.#remember(pid);
		return found;
	}

	// All processes of the server as they are now, also those whose master is gone: each runs in its folder.
	#processes() {
		return fs.readdirSync('/proc').filter((name) => {
			try {
				return /^\d+$/.test(name) && fs.readlinkSync(`/proc/${name}/cwd`) === this.folder && lives(name);
			} catch {
				return false; // it has ended
			}
		});
	}

	// Every reply is held against the OpenAPI document when the server stops.
	async request(route, options) {
		const reply = await request(this.url + route, options);
		if (this.replies.length < 2000) this.replies.push({ method: options?.method ?? 'GET', route, reply });
		return reply;
	}

	async #assertContract() {
		if (this.replies.length === 0) return;
		contract ??= new Contract((await request(`${this.url}/openapi.json`)).json);
		const mistakes = this.replies.flatMap(({ method, route, reply }) =>
			contract.mistakes(method, route, reply).map((mistake) => `${method} ${route}: ${mistake}: ${reply.status} ${reply.text.slice(0, 300)}`),
		);
		this.replies = [];
		assert.deepEqual(mistakes, [], 'replies are as the OpenAPI document says');
	}

	// POST /api/v1/query.
	query(body, options = {}) {
		return this.request('/api/v1/query', { method: 'POST', body, ...options });
	}

	// The reply to a question that must be answered.
	async ask(message, more = {}, options = {}) {
		const reply = await this.query({ message, ...more }, options);
		assert.equal(reply.status, 200, reply.text);
		return reply.json;
	}

	// A worker whose database was away has none until it has connected again, when its pause is over.
	async stats() {
		let reply;
		await until('the statistics', async () => {
			reply = await this.request('/api/v1/stats');
			return reply.status !== 503;
		});
		assert.equal(reply.status, 200, reply.text);
		return reply.json;
	}

	connect() {
		return new RawConnection(this.port);
	}

	exchange(bytes, count, limit) {
		return exchange(this.port, bytes, count, limit);
	}

	rows(sql) {
		return query(this.database, sql);
	}

	value(sql) {
		return single(this.database, sql);
	}

	signal(name) {
		this.workers();
		this.process.kill(name);
	}

	// Waits until the server has ended by itself. Gives {code, signal}.
	ended(limit = patience) {
		return within('the end of the server', this.exited, limit);
	}

	// Waits until no process of the server is left.
	async allGone(limit = patience) {
		await until('the end of all processes', () => [...this.pids].every((known) => !lives(...known)) && this.#processes().length === 0, limit);
	}

	// Stops the server as an operator does and checks that it ends well.
	async stop() {
		const checked = this.exit ? Promise.resolve() : this.#assertContract();
		await checked.catch(() => {}); // the server stops all the same
		this.signal('SIGTERM');
		const exit = await this.ended();
		assert.deepEqual(exit, { code: 0, signal: null }, `it stops with 0\n${this.stderr}`);
		await this.close();
		await checked;
	}

	// Ends what is left and checks what the sanitizers have to say.
	async close() {
		this.killAll();
		await this.allGone();
		running.delete(this);
		assertNoReports(this.sanitizerLogs);
		if (!this.dies) assert.deepEqual(this.log.filter(({ message }) => /^it (crashed|hung|ended since)/.test(message ?? '')), [], 'no worker crashes');
	}

	killAll() {
		if (!this.exit) this.workers();
		for (const [pid, started] of this.pids) {
			try {
				if (lives(pid, started)) process.kill(pid, 'SIGKILL');
			} catch {
				// It has just ended.
			}
		}
	}
}

// Runs BODY with a server of its own, which is stopped (and must stop well) afterwards.
export async function withServer(options, body) {
	const server = await Server.start(options);
	try {
		await body(server);
		await server.stop();
	} finally {
		server.killAll();
	}
}
