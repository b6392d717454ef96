// `smartsupport expr`: expressions at the terminal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProgram } from './lib/server.mjs';

const run = (...args) => runProgram(['expr', ...args]);

test('expr prints the value as JSON', async () => {
	for (const [expression, value] of [
		['1 + 2', '3'],
		['1.5 * 2.0', '3.0'],
		['"a" + \'"b"\'', '"a\\"b\\""'],
		['{"k": [true, null, size("Zürich")]}', '{"k":[true,null,6]}'],
		['-4 + (-2)', '-6'],
		['--------------------------------19', '19'],
		['["a", "b"].map(x, x.upperAscii()).join("-")', '"A-B"'],
	]) {
		const { code, stdout, stderr } = await run(expression);
		assert.deepEqual([code, stdout, stderr], [0, `${value}\n`, ''], expression);
	}
});

test('expr takes variables as JSON', async () => {
	const vars = '{"priority": 7, "user": {"name": "Ann"}, "a.b": 1}';
	for (const args of [
		['priority > 5 && user.name.startsWith("A") && a.b == 1', '--vars', vars],
		['--vars', vars, 'priority > 5'],
		[`--vars=${vars}`, '--', '-priority < 0'],
		['-priority == -7', '-v', vars],
	]) {
		const { code, stdout, stderr } = await run(...args);
		assert.deepEqual([code, stdout], [0, 'true\n'], stderr);
	}
});

test('expr shows a mistake with a caret under its place and exits with 1', async () => {
	for (const [expression, lines, sentence] of [
		['1 +', ['1 +', '   ^'], /the expression is not complete/],
		['1 + "é" + 2', ['1 + "é" + 2', '  ^'], /\+ does not take an int and a string/],
		['"é" + 2', ['"é" + 2', '    ^'], /\+ does not take a string and an int/],
		['true && priorty > 5', ['true && priorty > 5', '        ^'], /no field "priorty" \(did you mean "priority"\?\)/],
		['10 / (priority - 7)', ['10 / (priority - 7)', '   ^'], /division by zero/],
		['[1, 2].map(x,\n  x / 0)', ['  x / 0)', '    ^'], /division by zero/],
		['"a".matches("(")', ['"a".matches("(")', '            ^'], /the pattern is wrong: missing \)/],
		['"a".conains("b")', ['"a".conains("b")', '    ^'], /no function conains\(\) \(did you mean "contains"\?\)/],
		['\t1 + true', ['\t1 + true', '\t  ^'], /\+ does not take/],
	]) {
		const { code, stdout, stderr } = await run(expression, '--vars', '{"priority": 7}');
		assert.deepEqual([code, stdout], [1, ''], expression);
		const [line, caret, text] = stderr.split('\n');
		assert.deepEqual([line, caret], lines);
		assert.match(text, sentence);
	}
});

test('expr ends what would cost too much', async () => {
	const numbers = JSON.stringify({ x: Array.from({ length: 3000 }, (_, i) => i) });
	const { code, stderr } = await run('x.all(a, x.all(b, x.all(c, true)))', '--vars', numbers);
	assert.equal(code, 1);
	assert.match(stderr, /costs more than \d+ operations/);
});

test('expr tells how it is used', async () => {
	const { code, stdout, stderr } = await run('--help');
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /^Usage: smartsupport expr/);
	for (const args of [[], ['--nonsense', '1'], ['1', '2'], ['1', '--vars'], ['1', '--vars', '{'], ['1', '--vars', '[1]']]) {
		const usage = await run(...args);
		assert.deepEqual([usage.code, usage.stdout], [2, ''], args.join(' '));
		assert.match(usage.stderr, /Usage: |--vars/);
	}
});
