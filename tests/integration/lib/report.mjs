// The reporter of tools/test: a line for each test, the error below a failed one, and the sums at the end.
// node --test --test-reporter tests/integration/lib/report.mjs
import { inspect } from 'node:util';

function isFile(data) {
	return data.details?.type === 'suite' || /\.test\.mjs$/.test(data.name);
}

const lines = 40;

function describe(error) {
	const cause = error?.cause ?? error;
	const all = (cause?.stack ?? inspect(cause)).split('\n');
	const text = all.length > lines ? [...all.slice(0, lines), '…'] : all;
	return text.map((line) => `    ${line}\n`).join('');
}

export default async function* report(source) {
	const sums = { passed: 0, failed: 0, skipped: 0 };
	let last;
	for await (const { type, data } of source) {
		if (type === 'test:stderr' || type === 'test:stdout') yield data.message;
		if (type !== 'test:pass' && type !== 'test:fail') continue;
		// A file counts only when it failed for itself, and not because one of its tests did.
		if (isFile(data) && (type === 'test:pass' || data.details?.error?.failureType === 'subtestsFailed')) continue;
		const seconds = `${((data.details?.duration_ms ?? 0) / 1000).toFixed(1)} s`;
		if (data.skip !== undefined && data.skip !== false) {
			sums.skipped++;
			yield `skipped  ${data.name}: ${data.skip === true ? 'no reason given' : data.skip}\n`;
		} else if (type === 'test:pass') {
			sums.passed++;
			yield `passed   ${data.name} (${seconds})\n`;
		} else {
			sums.failed++;
			const what = describe(data.details?.error);
			yield `FAILED   ${data.name} (${seconds})\n${what === last ? '    as above\n' : what}`;
			last = what;
		}
	}
	yield `sums ${sums.passed} ${sums.failed} ${sums.skipped}\n`;
}
