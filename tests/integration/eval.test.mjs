// `smartsupport eval`: how good the workflow and the knowledge base are, measured with labelled questions.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { runProgram } from './lib/server.mjs';
import { elements, parseXml, textOf } from './lib/xml.mjs';

// Runs eval with the configuration of INSTALLATION.
function run(installation, ...args) {
	return runProgram(['eval', '--config', installation.config, ...args], { cwd: installation.folder, env: installation.env, limit: 800000 });
}

const jsonl = (lines) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

const labelled = [
	{ text: 'How do I reset my password?', category: 'Account', sentiment: 'Neutral', article: 'reset-password' },
	{ text: 'My application keeps crashing when I try to export data', category: 'Technical', sentiment: 'Negative', article: 'app-crashes-on-export' },
	{ text: 'Where can I find my invoices?', category: 'Billing', article: 'find-invoices' },
	// A label that nobody would decide on: a mistake that the report must show.
	{ text: 'I was charged twice this month <b>!!! 😀', category: 'General', article: 'charged-twice' },
	{ text: 'What is the weather like in Lisbon today?', should_abstain: true },
	{ text: 'Who won the football match yesterday?', should_abstain: true },
];

test('eval asks the workflow and the knowledge base, and has the figures as JSON', { timeout: 900000 }, async () => {
	const installation = new Installation();
	installation.write('q.jsonl', jsonl(labelled));
	const { code, stdout, stderr } = await run(installation, 'q.jsonl', '--json');
	assert.deepEqual([code, stderr], [0, '']);
	const report = JSON.parse(stdout);
	assert.deepEqual([report.file, report.questions, report.degraded], ['q.jsonl', 6, 0]);
	assert.deepEqual([report.category.questions, report.category.accuracy], [4, 0.75]);
	assert.deepEqual(report.category.labels.map(({ label }) => label), ['Account', 'Billing', 'General', 'Technical']);
	assert.deepEqual(report.category.confusion, [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]);
	const [mistake, ...others] = report.category.mistakes;
	assert.deepEqual(others, []);
	assert.deepEqual([mistake.line, mistake.wanted, mistake.found, mistake.text], [4, 'General', 'Billing', labelled[3].text]);
	assert.ok(report.category.calibration_error > 0 && report.category.calibration_error < 1);
	assert.equal(report.category.bins.reduce((sum, bin) => sum + bin.questions, 0), 4);
	assert.deepEqual([report.sentiment.questions, report.sentiment.accuracy], [2, 1]);
	assert.deepEqual([report.retrieval.questions, report.retrieval['recall@1'], report.retrieval.mrr], [4, 1, 1]);
	const { abstention } = report;
	assert.deepEqual([abstention.without_answer, abstention.abstained, abstention.answerable, abstention.answered], [2, 1, 4, 1]);
	assert.deepEqual([abstention.area < 0.2, abstention.max_wrong], [true, 0.05]);
	assert.ok(abstention.chosen.coverage >= 0.6 && abstention.chosen.risk === 0, JSON.stringify(abstention.chosen));
});

test('eval decides as ask does', { timeout: 900000 }, async () => {
	const installation = new Installation();
	installation.editWorkflow('# A category that the head', 'keywords: {General: [password]}\n      # A category that the head');
	installation.write('q.jsonl', jsonl(labelled));
	const report = JSON.parse((await run(installation, 'q.jsonl', '--json')).stdout);
	assert.deepEqual(report.category.confusion[0], [0, 0, 1, 0], 'the keyword decides before the head');
	const ask = await runProgram(['ask', '--json', '--config', installation.config, labelled[0].text], { cwd: installation.folder, env: installation.env });
	assert.equal(JSON.parse(ask.stdout).reply.category, 'General');
});

test('eval tells a threshold that the workflow takes', { timeout: 900000 }, async () => {
	const installation = new Installation();
	installation.write('q.jsonl', jsonl(labelled));
	const { stdout } = await run(installation, 'q.jsonl', '--max-wrong', '0');
	const [, file, node, option, value] = /^In (.*) write under nodes, (\w+):\n {4}options: \{(\w+): ([\d.]+)\}$/m.exec(stdout);
	assert.equal(fs.realpathSync(file), fs.realpathSync(installation.workflow));
	assert.equal(node, 'retrieve');
	assert.equal(option, 'min_confidence');
	installation.editWorkflow(/min_confidence: [\d.]+/, `min_confidence: ${value}`);
	const check = await runProgram(['check', '--config', installation.config], { cwd: installation.folder, env: installation.env });
	assert.deepEqual([check.code, check.stderr], [0, '']);
	const { abstention } = JSON.parse((await run(installation, 'q.jsonl', '--json', '--max-wrong', '0')).stdout);
	assert.equal(abstention.abstained, 1);
	const answered = abstention.chosen.coverage * (abstention.without_answer + abstention.answerable);
	assert.equal(Math.round(abstention.answered * abstention.answerable), Math.round(answered), 'all that is answered is right');
});

test('eval measures other articles, as tables', { timeout: 900000 }, async () => {
	const installation = new Installation();
	installation.write('articles.json', JSON.stringify([
		{ id: 7, title: 'Wie ändere ich mein Passwort?', content: 'Öffnen Sie die Einstellungen.', category: 'Konto' },
		{ id: 'opening-hours', title: 'When are you open?', content: 'From nine to five, Monday to Friday.' },
	]));
	installation.write('q.jsonl', jsonl([
		{ text: 'At what time do you open?', article: 'opening-hours' },
		{ text: 'Passwort ändern', article: 7 },
		{ text: 'are you open on Monday', article: 7 },
	]));
	const { code, stdout, stderr } = await run(installation, 'q.jsonl', '--articles', 'articles.json');
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /^The article of 3 questions, among those of articles\.json$/m);
	assert.match(stdout, /^ {2}recall@1 +66\.7 % {2}comes first$/m);
	assert.match(stdout, /^ {2}recall@3 +100\.0 %/m);
	assert.match(stdout, /^ {2}MRR +0\.833$/m);
	assert.match(stdout, /^ {2}q\.jsonl:3: opening-hours, not 7 \([01]\.\d\d\): are you open on Monday$/m);
	assert.ok(!stdout.includes('The category'));
});

test('eval exits with 1 when a figure is too small or unknown', { timeout: 900000 }, async () => {
	const installation = new Installation();
	installation.write('q.jsonl', jsonl(labelled));
	const good = await run(installation, 'q.jsonl', '--min', 'accuracy.category=0.75', '--min', 'recall@1=100%', '--json');
	assert.deepEqual([good.code, good.stderr], [0, '']);
	assert.deepEqual(JSON.parse(good.stdout).minimums.map(({ name, reached }) => [name, reached]), [['accuracy.category', true], ['recall@1', true]]);
	const bad = await run(installation, 'q.jsonl', '--min', 'accuracy.category=0.76', '--min', 'mrr=1');
	assert.equal(bad.code, 1);
	assert.equal(bad.stderr, 'smartsupport: accuracy.category is 0.7500, less than 0.76\n');
	assert.match(bad.stdout, /^ {2}accuracy\.category +0\.7500 {2}is less than 0\.76\n {2}mrr +1\.0000 {2}reaches 1$/m);
	installation.write('few.jsonl', jsonl([{ text: 'hello', category: 'General' }]));
	const unknown = await run(installation, 'few.jsonl', '--min', 'mrr=0');
	assert.equal(unknown.code, 1);
	assert.match(unknown.stderr, /mrr is asked for, but few\.jsonl has no labels for it/);
});

test('eval writes a page that is well-formed and loads nothing', { timeout: 900000 }, async () => {
	const installation = new Installation();
	installation.write('q.jsonl', jsonl(labelled));
	const { code, stderr } = await run(installation, 'q.jsonl', '--html', 'report.html', '--min', 'mrr=0.5');
	assert.deepEqual([code, stderr], [0, '']);
	const text = installation.read('report.html');
	const page = parseXml(text);
	assert.ok(!/<script|<link|https?:|@import|url\(/.test(text));
	assert.deepEqual(elements(page, ({ name }) => name === 'svg').map((svg) => svg.attributes.get('aria-label')), ['Reliability', 'Reliability', 'Ranks', 'Risk and coverage']);
	assert.ok(elements(page, ({ name }) => name === 'td').map(textOf).includes(labelled[3].text));
	const nowhere = await run(installation, 'q.jsonl', '--html', 'nowhere/report.html');
	assert.equal(nowhere.code, 1);
	assert.match(nowhere.stderr, /nowhere\/report\.html: cannot be written/);
});

test('eval refuses bad lines, with file, line and value', { timeout: 900000 }, async () => {
	const installation = new Installation();
	for (const [line, sentence] of [
		['{"text": "a", "catgory": "Billing"}', /^smartsupport: q\.jsonl:2: there is no label "catgory" \(did you mean "category"\?\)\n$/],
		['{"text": "a", "category": "Shipping"}', /q\.jsonl:2: "Shipping" is no value of the field category/],
		['{"text": "a", "article": "nowhere"}', /q\.jsonl:2: there is no article "nowhere" in /],
		['{"text": "a", "should_abstain": 1}', /q\.jsonl:2: "should_abstain" must be true or false, not 1/],
		['{"text": "a"', /q\.jsonl:2: /],
	]) {
		installation.write('q.jsonl', `${JSON.stringify(labelled[0])}\n${line}\n`);
		const { code, stdout, stderr } = await run(installation, 'q.jsonl');
		assert.deepEqual([code, stdout], [1, '']);
		assert.match(stderr, sentence);
	}
	const missing = await run(installation, 'none.jsonl');
	assert.deepEqual([missing.code, missing.stderr], [1, 'smartsupport: none.jsonl: cannot be opened: No such file or directory\n']);
	installation.write('q.jsonl', jsonl([{ text: 'a', category: 'General' }]));
	const articles = await run(installation, 'q.jsonl', '--articles', 'none.json');
	assert.equal(articles.code, 1);
	assert.match(articles.stderr, /none\.json: cannot be read/);
});

test('the file of the documentation reaches what the documentation asks of it', { timeout: 900000 }, async () => {
	const { code, stderr } = await runProgram(['eval', 'tests/data/labelled.jsonl', '--min', 'macro_f1.category=0.9', '--min', 'recall@1=0.85', '--min', 'abstained=0.75'], { env: new Installation().env, limit: 800000 });
	assert.deepEqual([code, stderr], [0, '']);
});

test('eval tells how it is used', async () => {
	const { code, stdout, stderr } = await runProgram(['eval', '--help']);
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /^Usage: smartsupport eval FILE\.jsonl/);
	assert.match(stdout, /^ {2}recall@1 /m);
	for (const [args, sentence] of [
		[[], /takes one file/],
		[['a', 'b'], /takes one file/],
		[['a', '--nonsense'], /Usage: /],
		[['a', '--min', 'accuracy=0.5'], /--min takes NAME=VALUE, as in recall@1=0\.9, not "accuracy=0\.5"; the names are accuracy\.category /],
		[['a', '--min', 'mrr'], /--min takes NAME=VALUE/],
		[['a', '--min', 'mrr=1.5'], /--min takes a share, as in 0\.05 or 5%, from 0 to 1, not "1\.5"/],
		[['a', '--max-wrong', '5 percent'], /--max-wrong takes a share/],
		[['a', '--max-wrong', 'nan'], /--max-wrong takes a share/],
	]) {
		const usage = await runProgram(['eval', ...args]);
		assert.deepEqual([usage.code, usage.stdout], [2, ''], args.join(' '));
		assert.match(usage.stderr, sentence);
	}
});
