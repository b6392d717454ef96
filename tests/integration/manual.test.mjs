// The manual of the plugin SDK has all that its headers show, and is not made when one of them says nothing of something.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root, temporaryFolder } from './lib/files.mjs';
import { runCommand } from './lib/server.mjs';

const headers = path.join(root, 'include/smartsupport');

// What the manual is made of, in a folder of its own.
function sources() {
	const folder = temporaryFolder();
	for (const part of ['include', 'deploy/sdk/manual', 'docs/plugins.md', 'tools/manual'])
		fs.cpSync(path.join(root, part), path.join(folder, part), { recursive: true });
	return folder;
}

const make = (folder) => runCommand(path.join(folder, 'tools/manual'), [], { cwd: folder });

// The names that a header declares, without a look at its comments and inside its functions.
function declared(header) {
	const text = fs.readFileSync(path.join(headers, header), 'utf8').replace(/\/\*[^]*?\*\/|^\{$[^]*?^\}$/gm, '');
	const guard = `SMARTSUPPORT_${header === 'smartsupport.h' ? '' : `${header.slice(0, -2).toUpperCase()}_`}H`.replace('SUPPORT__', 'SUPPORT_');
	const found = [...text.matchAll(/\b(?:ss_[a-z_]+|SS_[A-Z_]+)\b|\(\*([a-z_]+)\)|([a-z_]+)(?:\[\d+\])?;/g)].map(([whole, callback, member]) => callback ?? member ?? whole);
	return found.filter((name) => name !== guard);
}

test('the manual has a place for each name of the headers, and its links lead somewhere', async () => {
	const folder = sources();
	const { code, stdout, stderr } = await make(folder);
	assert.equal(code, 0, stdout + stderr);
	const manual = path.join(folder, 'build/manual');
	const pages = fs.readdirSync(manual).filter((name) => name.endsWith('.html'));
	const texts = new Map(pages.map((name) => [name, fs.readFileSync(path.join(manual, name), 'utf8')]));
	const all = [...texts.values()].join('\n').replace(/<[^>]*>/g, '');
	const words = new Set(all.match(/\w+/g));
	const names = fs.readdirSync(headers).flatMap(declared);
	assert.ok(names.length > 500);
	assert.deepEqual(names.filter((name) => !words.has(name)), []);
	for (const [page, text] of texts) {
		for (const [, link] of text.matchAll(/href="([^"#:]+)(?:#[^"]*)?"/g))
			if (!link.startsWith('../examples/')) assert.ok(fs.existsSync(path.join(manual, link)), `${page}: ${link}`);
	}
	const host = texts.get('structss__host.html');
	assert.match(host, /Writes VALUE \(taken\) to the field\. .* Of several writes to a field the last one counts\./s);
	assert.match(texts.get('structss__run.html'), /One activation of an agent in one turn\./);
});

for (const [what, header, from, to, message] of [
	['a function', 'testing.h', '/* Destroys the instance, if there is one, and the host. */\n', '', /^include\/smartsupport\/testing\.h:\d+: Member ss_test_host_free\(struct ss_test_host \*host\) \(function\)/m],
	['a function with its body', 'error.h', /\/\* Fills ERR .*\n/, '', /^include\/smartsupport\/error\.h:\d+: Member ss_fail_as\(/m],
	['a macro', 'abi.h', /\/\* and so are plugins .*\n/, '', /^include\/smartsupport\/abi\.h:\d+: Member SS_ABI_MINOR \(macro/m],
	['a structure', 'value.h', /\/\* A text that is borrowed.*\n/, '', /^include\/smartsupport\/value\.h:\d+: Compound ss_text is not documented/m],
	['a member', 'value.h', '; /* UTF-8; not necessarily NUL-terminated */', ';', /^include\/smartsupport\/value\.h:\d+: Member data \(variable\) of struct ss_text is not documented/m],
	['an operation', 'value.h', '/* Whether VALUE is true. */\n', '', /^include\/smartsupport\/value\.h:\d+: Member as_bool\)/m],
	['a callback', 'host.h', /\/\* Called on the loop when the time of wait\(\).*\n/, '', /^include\/smartsupport\/host\.h:\d+: Member ss_waited\(.*\(typedef\)/m],
	['an enumeration', 'plugin.h', /\/\* What an agent does with a field.*\n/, '', /^include\/smartsupport\/plugin\.h:\d+: Member ss_access \(enumeration\)/m],
	['a value', 'error.h', /\/\* a deadline passed \*\//, '', /^include\/smartsupport\/error\.h: SS_TIMEOUT is not documented/m],
])
	test(`${what} without a comment is named`, async () => {
		const folder = sources();
		const file = path.join(folder, 'include/smartsupport', header);
		const before = fs.readFileSync(file, 'utf8');
		const after = before.replace(from, to);
		assert.notEqual(after, before);
		fs.writeFileSync(file, after);
		const { code, stderr } = await make(folder);
		assert.equal(code, 1);
		assert.match(stderr, message);
		assert.equal(stderr.trim().split('\n').length, 1, stderr);
	});
