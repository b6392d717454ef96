// The pages about the API, as a browser shows them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { after, before, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { Installation, root, temporaryFolder } from './lib/files.mjs';
import { Server, withServer } from './lib/server.mjs';

let server;
let browser;
before(async () => {
	server = await Server.start();
	browser = new Browser();
});
after(async () => {
	await browser.close();
	await server.stop();
});

// Nothing was refused by the policy or failed otherwise, and no other host was asked for anything.
function assertClean(page) {
	assert.deepEqual(page.complaints, []);
	const others = page.requests.filter((url) => !url.startsWith(`${server.url}/`) && !/^(data|blob):/.test(url));
	assert.deepEqual(others, []);
	assert.ok(page.requests.length > 0);
}

async function operations() {
	const { json } = await server.request('/openapi.json');
	return Object.values(json.paths).flatMap((item) => Object.values(item).filter((operation) => operation.operationId));
}

test('/docs lists every operation, asks a question and shows the answer', async () => {
	const page = await browser.open(`${server.url}/docs`);
	const count = (await operations()).length;
	await page.until(`document.querySelectorAll('.opblock').length === ${count}`);
	const block = '#operations-Questions-askQuestion';
	await page.click(`${block} .opblock-summary-control`);
	await page.click(`${block} .try-out__btn`);
	await page.click(`${block} .execute`);
	await page.until(`document.querySelector('${block} .live-responses-table')?.innerText.includes('Forgot password') ?? false`);
	assert.match(await page.evaluate(`document.querySelector('${block} .live-responses-table').innerText`), /\b200\b/);
	assertClean(page);
});

test('/redoc shows every operation and finds some', async () => {
	const page = await browser.open(`${server.url}/redoc`);
	const ids = (await operations()).map((operation) => operation.operationId);
	for (const id of ids) await page.until(`document.querySelector('[data-section-id$="${id}"]') !== null`);
	// The styles that are set by script are there.
	assert.notEqual(await page.evaluate(`getComputedStyle(document.querySelector('.menu-content')).width`), 'auto');
	assert.equal(await page.evaluate(`getComputedStyle(document.querySelector('.menu-content')).display`), 'flex');
	await page.click('input[role="search"], .search-input');
	await page.evaluate(`(() => {
		const input = document.querySelector('.search-input');
		Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, 'feedback');
		input.dispatchEvent(new Event('input', { bubbles: true }));
	})()`);
	await page.until(`document.querySelector('[data-role="search:results"]') !== null`);
	assertClean(page);
});

test('/docs/errors tells of each problem at the place that its type names', async () => {
	const page = await browser.open(`${server.url}/docs/errors`);
	await page.until(`document.readyState === 'complete'`);
	const { json: problem } = await server.request('/api/v1/none');
	assert.equal(problem.type, '/docs/errors#not-found');
	const { hash } = new URL(problem.type, server.url);
	assert.match(await page.evaluate(`document.querySelector('${hash}').innerText`), /404 Not Found/);
	assertClean(page);
});

const types = {
	'/docs': 'text/html; charset=utf-8',
	'/redoc': 'text/html; charset=utf-8',
	'/docs/errors': 'text/html; charset=utf-8',
	'/docs/assets/swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
	'/docs/assets/swagger-ui.css': 'text/css; charset=utf-8',
	'/docs/assets/redoc.standalone.js': 'text/javascript; charset=utf-8',
	'/docs/assets/favicon-32x32.png': 'image/png',
	'/docs/assets/docs.js': 'text/javascript; charset=utf-8',
	'/docs/assets/redoc.js': 'text/javascript; charset=utf-8',
	'/docs/assets/page.css': 'text/css; charset=utf-8',
	'/openapi.json': 'application/json',
};

for (const [route, type] of Object.entries(types)) {
	test(`${route} is kept by clients for as long as it holds`, async () => {
		const { status, headers, text } = await server.request(route);
		assert.equal(status, 200);
		assert.equal(headers['content-type'], type);
		assert.equal(headers['cache-control'], 'no-cache');
		assert.match(headers.etag, /^"[0-9a-f]{32}"$/);
		assert.ok(text.length > 0);
		for (const known of [headers.etag, `W/${headers.etag}`, `"x", ${headers.etag}`, '*']) {
			const again = await server.request(route, { headers: { 'If-None-Match': known } });
			assert.deepEqual([again.status, again.text, again.headers.etag], [304, '', headers.etag], known);
		}
		for (const other of ['"x"', 'x', `"${headers.etag}`, '']) {
			const again = await server.request(route, { headers: { 'If-None-Match': other } });
			assert.deepEqual([again.status, again.text], [200, text], other);
		}
		const head = await server.request(route, { method: 'HEAD' });
		assert.deepEqual([head.status, head.text, head.headers.etag], [200, '', headers.etag]);
		assert.equal(head.headers['content-length'], headers['content-length']);
	});
}

test('the pages have policies that let nothing in from elsewhere and nothing inline', async () => {
	for (const route of ['/docs', '/redoc', '/docs/errors']) {
		const { headers, text } = await server.request(route);
		const policy = new Map(
			headers['content-security-policy'].split('; ').map((part) => [part.split(' ')[0], part.split(' ').slice(1)]),
		);
		for (const directive of ['default-src', 'base-uri', 'form-action', 'frame-ancestors'])
			assert.deepEqual(policy.get(directive), ["'none'"], `${route} ${directive}`);
		const sources = [...policy.values()].flat().filter((source) => !source.startsWith("'sha256-"));
		for (const source of sources) assert.ok(["'none'", "'self'", 'data:', 'blob:'].includes(source), `${route} ${source}`);
		assert.deepEqual(policy.get('script-src') ?? ["'self'"], ["'self'"]);
		for (const [tag] of text.matchAll(/<script[^>]*>/g)) assert.match(tag, /src="docs\/assets\//);
		assert.doesNotMatch(text, /<style|style=| on\w+=/);
	}
});

test('only the files of the pages can be had', async () => {
	const outside = ['package.json', '..%2fpackage.json', '..', '%2e%2e%2f%2e%2e%2fetc%2fpasswd', 'LICENSE', 'docs.html', 'x%00', '%2fetc%2fpasswd'];
	for (const name of outside) {
		const reply = await server.request(`/docs/assets/${name}`);
		assert.ok([400, 404, 422].includes(reply.status), `${name}: ${reply.status}`);
		assert.equal(reply.headers['content-type'], 'application/problem+json');
	}
});

test('pages whose files are not installed say what to install', async () => {
	const installation = new Installation();
	await withServer({ installation, workers: 1, env: { DOCS_DIR: temporaryFolder() } }, async (other) => {
		for (const [route, name] of [['/docs', 'swagger-ui-dist'], ['/redoc', 'redoc']]) {
			const reply = await other.request(route);
			assert.equal(reply.status, 503);
			assert.match(reply.json.detail, new RegExp(`npm package ${name}, .*npm ci`));
		}
		assert.equal((await other.request('/docs/assets/swagger-ui.css')).status, 404);
		assert.equal((await other.request('/docs/errors')).status, 200);
	});
});

test('without a folder the pages say how to name one', async () => {
	const installation = new Installation();
	installation.edit('config/smartsupport.yaml', /^  docs: .*\n/m, '');
	await withServer({ installation, workers: 1 }, async (other) => {
		assert.match((await other.request('/docs')).json.detail, /set docs in the section server/);
	});
});

test('what is compressed in the folder is sent so to clients that take it', async () => {
	const folder = temporaryFolder();
	const bundle = 'swagger-ui-dist/swagger-ui-bundle.js';
	const text = fs.readFileSync(path.join(root, 'node_modules', bundle));
	fs.mkdirSync(path.join(folder, 'swagger-ui-dist'));
	fs.writeFileSync(path.join(folder, bundle), text);
	fs.writeFileSync(path.join(folder, `${bundle}.gz`), zlib.gzipSync(text));
	await withServer({ workers: 1, env: { DOCS_DIR: folder } }, async (other) => {
		const ask = (accepted) => other.request('/docs/assets/swagger-ui-bundle.js', { headers: accepted ? { 'Accept-Encoding': accepted } : {} });
		const plain = await ask();
		assert.equal(plain.headers['content-encoding'], undefined);
		assert.equal(Number(plain.headers['content-length']), text.length);
		const packed = await ask('br, gzip;q=0.5');
		assert.equal(packed.headers['content-encoding'], 'gzip');
		assert.ok(Number(packed.headers['content-length']) < text.length / 2);
		assert.notEqual(packed.headers.etag, plain.headers.etag);
		for (const reply of [plain, packed]) assert.equal(reply.headers.vary, 'Accept-Encoding');
		assert.equal((await ask('gzip;q=0')).headers['content-encoding'], undefined);
	});
});
