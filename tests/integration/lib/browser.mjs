// A headless Chromium that a test looks at pages with, over the pipe of its DevTools protocol. It can reach nothing but
// this machine.
import { spawn } from 'node:child_process';
import { temporaryFolder } from './files.mjs';
import { patience, until, within } from './wait.mjs';

const flags = [
	'--headless',
	'--window-size=1400,1000',
	'--no-sandbox', // tests may run as root; all pages are our own
	'--disable-gpu',
	'--disable-dev-shm-usage',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	'--no-first-run',
	'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
	'--remote-debugging-pipe',
];

class Page {
	constructor(browser, session) {
		this.browser = browser;
		this.session = session;
		this.complaints = []; // what the console shows as an error, violations of the policy among it
		this.requests = []; // urls
	}

	send(method, params) {
		return this.browser.send(method, params, this.session);
	}

	heard(method, params) {
		if (method === 'Network.requestWillBeSent') this.requests.push(params.request.url);
		else if (method === 'Runtime.exceptionThrown') this.complaints.push(params.exceptionDetails.exception?.description);
		else if (method === 'Log.entryAdded' && params.entry.level === 'error')
			this.complaints.push(`${params.entry.text} ${params.entry.url ?? ''}`);
		else if (method === 'Runtime.consoleAPICalled' && params.type === 'error')
			this.complaints.push(params.args.map((argument) => argument.value ?? argument.description).join(' '));
	}

	// The value of EXPRESSION in the page.
	async evaluate(expression) {
		const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, returnByValue: true });
		if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`);
		return result.value;
	}

	// Waits until EXPRESSION is true in the page. It may just be taking the place of another one.
	async until(expression) {
		const between = (error) => /context was destroyed|default execution context|navigated or closed/.test(error.message);
		try {
			await until(expression, () => this.evaluate(expression).catch((error) => (between(error) ? false : Promise.reject(error))));
		} catch (error) {
			throw new Error(`${error.message}\n${this.complaints.join('\n')}\n${await this.evaluate('document.body.innerText')}`);
		}
	}

	// Clicks on the first element of SELECTOR once it is there.
	async click(selector) {
		const element = `document.querySelector(${JSON.stringify(selector)})`;
		await this.until(`${element} !== null`);
		await this.evaluate(`${element}.click()`);
	}
}

export class Browser {
	constructor() {
		this.calls = new Map();
		this.pages = new Map();
		this.count = 0;
		this.process = spawn('chromium', [...flags, `--user-data-dir=${temporaryFolder()}`, 'about:blank'], {
			stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
		});
		this.gone = new Promise((resolve) => this.process.on('close', resolve));
		this.process.on('error', (error) => this.#fail(error));
		this.gone.then(() => this.#fail(new Error('the browser has ended')));
		process.on('exit', () => this.process.kill('SIGKILL'));
		this.process.stdio[3].on('error', () => {}); // the end is heard of above
		let rest = '';
		this.process.stdio[4].setEncoding('utf8').on('data', (text) => {
			const messages = (rest + text).split('\0');
			rest = messages.pop();
			for (const message of messages) this.#hear(JSON.parse(message));
		});
	}

	#fail(error) {
		for (const { reject } of this.calls.values()) reject(error);
		this.calls.clear();
	}

	#hear({ id, result, error, method, params, sessionId }) {
		const call = this.calls.get(id);
		this.calls.delete(id);
		if (error) call?.reject(new Error(error.message));
		else if (call) call.resolve(result);
		else this.pages.get(sessionId)?.heard(method, params);
	}

	send(method, params = {}, sessionId) {
		const id = ++this.count;
		const reply = new Promise((resolve, reject) => this.calls.set(id, { resolve, reject }));
		this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
		return within(method, reply, patience);
	}

	// A page with URL in it, which is loading.
	async open(url) {
		const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
		const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
		const page = new Page(this, sessionId);
		this.pages.set(sessionId, page);
		for (const domain of ['Network', 'Log', 'Runtime', 'Page']) await page.send(`${domain}.enable`);
		await page.send('Page.navigate', { url });
		await page.until("location.href !== 'about:blank'");
		return page;
	}

	async close() {
		this.process.kill('SIGKILL');
		await within('the end of the browser', this.gone);
	}
}
