// `smartsupport train`: heads from labelled texts.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Installation, root } from './lib/files.mjs';
import { runProgram } from './lib/server.mjs';

// Runs train with the configuration of INSTALLATION.
function run(installation, ...args) {
	return runProgram(['train', '--config', installation.config, ...args], { cwd: installation.folder, env: installation.env, limit: 800000 });
}

// Some of our own lines: ten of each label.
function examples(task, count = 10) {
	const seen = {};
	return fs
		.readFileSync(path.join(root, 'kb/training', `${task}.jsonl`), 'utf8')
		.trim()
		.split('\n')
		.map(JSON.parse)
		.filter((line) => (seen[line[task]] = (seen[line[task]] ?? 0) + 1) <= count);
}

const jsonl = (lines) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

function csv(task, lines) {
	const quote = (text) => `"${text.replaceAll('"', '""')}"`;
	return `\ufeffid,${task},text\r\n${lines.map((line, i) => `${i},${line[task]},${quote(line.text)}\r\n`).join('')}`;
}

test('train makes the same head from JSONL and from CSV, each time', { timeout: 900000 }, async () => {
	const installation = new Installation();
	const lines = examples('sentiment');
	installation.write('a.jsonl', jsonl(lines));
	installation.write('a.csv', csv('sentiment', lines));
	installation.write('first.jsonl', jsonl(lines.slice(0, 15)));
	installation.write('rest.csv', csv('sentiment', lines.slice(15)));
	const heads = [];
	for (const data of [['a.jsonl'], ['a.jsonl'], ['a.csv'], ['first.jsonl', 'rest.csv']]) {
		const out = `head${heads.length}.json`;
		const { code, stdout, stderr } = await run(installation, '--task', 'sentiment', ...data.flatMap((file) => ['--data', file]), '--out', out);
		assert.deepEqual([code, stderr], [0, ''], stdout);
		heads.push(installation.read(out));
	}
	for (const head of heads) assert.ok(head === heads[0]);
	const { code, stdout } = await run(installation, '--task', 'sentiment', '--data', 'a.jsonl', '--out', 'other.json', '--seed', '2', '--folds', '3');
	assert.equal(code, 0);
	assert.match(stdout, /^seed 2, 3 folds: /m);
	const { trained } = JSON.parse(installation.read('other.json'));
	assert.deepEqual([trained.seed, trained.folds, trained.examples], [2, 3, 40]);
	assert.deepEqual(fs.readdirSync(installation.folder).filter((name) => name.includes('tmp')), []);
});

test('train compares with the head that the workflow uses, and its own head does there', { timeout: 900000 }, async () => {
	const installation = new Installation();
	const lines = examples('category');
	// Both heads should say that this is no question of billing.
	lines.push({ text: 'the app crashes when I\u001b[2J open it', category: 'Billing' });
	installation.write('a.jsonl', jsonl(lines));
	const { code, stdout, stderr } = await run(installation, '--task', 'category', '--data', 'a.jsonl', '--out', 'kb/heads/new.json');
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /^category: 41 examples: Account 10, Billing 11, General 10, Technical 10$/m);
	assert.match(stdout, /^ +new head +head in use$/m);
	assert.match(stdout, /^ {2}accuracy +\d+\.\d % +\d+\.\d %$/m);
	assert.match(stdout, /^ {2}F1 Technical +\d\.\d{3} +\d\.\d{3}$/m);
	assert.match(stdout, /kb\/heads\/category\.json, is judged as it is/);
	assert.match(stdout, /^When it was trained, on \d+ examples, it had an accuracy of \d+\.\d %/m);
	assert.match(stdout, /^Better: \d+ examples? that only the new head gets right/m);
	assert.match(stdout, /^Worse: \d+ examples? that only the head in use gets right/m);
	assert.ok(!stdout.includes('\u001b'));
	installation.editWorkflow('heads/category.json', 'heads/new.json');
	const check = await runProgram(['check', '--config', installation.config], { cwd: installation.folder, env: installation.env });
	assert.deepEqual([check.code, check.stderr], [0, '']);
	const self = await run(installation, '--task', 'category', '--data', 'a.jsonl', '--out', 'x.json', '--compare', 'kb/heads/new.json');
	assert.match(self.stdout, /\nkb\/heads\/new\.json, is judged as it is/);
});

test('train makes a head for a task that no workflow has yet', { timeout: 900000 }, async () => {
	const installation = new Installation();
	const lines = examples('sentiment').map(({ text, sentiment }) => ({ text, Dringlichkeit: sentiment === 'Angry' ? 'hoch “!”' : 'niedrig' }));
	installation.write('a.jsonl', jsonl(lines));
	const { code, stdout, stderr } = await run(installation, '--task', 'Dringlichkeit', '--data', 'a.jsonl', '--out', 'x.json');
	assert.equal(code, 0);
	assert.match(stderr, /uses no head for Dringlichkeit, so there is nothing to compare with/);
	assert.match(stdout, /^ +new head$/m);
	assert.match(stdout, /^ {2}F1 hoch “!” +\d/m);
	assert.deepEqual(JSON.parse(installation.read('x.json')).labels, ['hoch “!”', 'niedrig']);
});

test('train refuses what it cannot learn from, with file, line and value', { timeout: 900000 }, async () => {
	const installation = new Installation();
	const good = jsonl(examples('category'));
	installation.write('good.jsonl', good);
	installation.write('bad.jsonl', `${good}{"text": "hello", "category": 3}\n`);
	installation.write('bad.csv', 'text,category\nhello,General\n"hello\n');
	installation.write('one.jsonl', '{"text": "hello", "category": "General"}\n');
	installation.write('few.jsonl', `${good}{"text": "hello", "category": "Shipping"}\n`);
	fs.mkdirSync(installation.path('folder'));
	for (const [data, out, sentence, ...more] of [
		['bad.jsonl', 'x.json', /^smartsupport: bad\.jsonl:41: "category" must be a label, not 3\n$/],
		['bad.csv', 'x.json', /bad\.csv:3: the quotation mark that opens a field here is never closed/],
		['one.jsonl', 'x.json', /one\.jsonl: all 1 examples have the category "General"/],
		['few.jsonl', 'x.json', /too few examples of "Shipping": 1 different texts, but each of the 5 folds needs one/],
		['none.jsonl', 'x.json', /none\.jsonl: cannot be opened: No such file/],
		['good.jsonl', 'nowhere/x.json', /nowhere\/x\.json: cannot be written/],
		['good.jsonl', 'folder', /folder: cannot be written: it is no file/],
		['good.jsonl', 'x.json', /none\.json: cannot read the head/, '--compare', 'none.json'],
		['good.jsonl', 'x.json', /"task" is "sentiment", but a head for "category" is needed/, '--compare', 'kb/heads/sentiment.json'],
	]) {
		const { code, stderr } = await run(installation, '--task', 'category', '--data', data, '--out', out, ...more);
		assert.equal(code, 1, stderr);
		assert.match(stderr, sentence);
		assert.ok(!fs.existsSync(installation.path('x.json')));
	}
});

test('train tells how it is used', async () => {
	const { code, stdout, stderr } = await runProgram(['train', '--help']);
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /^Usage: smartsupport train/);
	const rest = ['--task', 'category', '--data', 'x', '--out', 'y'];
	for (const args of [[], ['--task', 'category'], [...rest, 'more'], [...rest, '--folds', '1'], [...rest, '--folds', '21'], [...rest, '--seed', '-1'], [...rest, '--nonsense']]) {
		const usage = await runProgram(['train', ...args]);
		assert.deepEqual([usage.code, usage.stdout], [2, ''], args.join(' '));
		assert.match(usage.stderr, /Usage: |whole number from/);
	}
});
