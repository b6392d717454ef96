// A PostgreSQL for the tests of one file, in a temporary folder; it ends with this process.
import { execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { root } from './files.mjs';
import { within } from './wait.mjs';

export class Postgres {
	static async start() {
		const postgres = new Postgres();
		const [word, folder, port] = (await postgres.#line()).split(' ');
		if (word !== 'ready') throw new Error(`PostgreSQL does not start: ${word}`);
		Object.assign(postgres, { folder, port });
		return postgres;
	}

	constructor() {
		this.process = spawn(path.join(root, 'tests/support/postgres'), { stdio: ['pipe', 'pipe', 'inherit'] });
		this.lines = readline.createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
		// Nobody waits for it: it ends when this process does.
		this.process.unref();
		this.process.stdin.unref();
		this.process.stdout.unref();
		this.databases = 0;
	}

	async #line() {
		const { value, done } = await within('an answer of PostgreSQL', this.lines.next());
		return done ? 'it has ended' : value;
	}

	// Gives what the answer has behind "ok".
	async #tell(word) {
		this.process.stdin.write(`${word}\n`);
		const [answer, ...rest] = (await this.#line()).split(' ');
		if (answer !== 'ok') throw new Error(`PostgreSQL: ${word}: ${answer}`);
		return rest.join(' ');
	}

	// Stops it as an operator does; ends all of its processes with SIGKILL; starts it again.
	stop() {
		return this.#tell('stop');
	}

	crash() {
		return this.#tell('crash');
	}

	restart() {
		return this.#tell('start');
	}

	// Makes a standby that has whatever is committed from now on; makes it the primary.
	async addStandby() {
		this.standbyPort = await this.#tell('standby');
	}

	promote() {
		return this.#tell('promote');
	}

	// Of a database, wherever the primary is.
	urlOfBoth(name) {
		const hosts = `host=${this.folder},${this.folder}&port=${this.port},${this.standbyPort}`;
		return `postgresql://support@/${name}?${hosts}&target_session_attrs=read-write`;
	}

	// Lets it take connections with TLS as well, with this certificate.
	encrypt(certificate, key) {
		return this.#tell(`encrypt ${certificate} ${key}`);
	}

	// The url of a new database, by the socket.
	newDatabase() {
		const name = `support_${++this.databases}`;
		execFileSync('createdb', ['-h', this.folder, '-p', this.port, '-U', 'support', name]);
		return this.url(name);
	}

	url(name) {
		return `postgresql://support@/${name}?host=${this.folder}&port=${this.port}`;
	}
}
