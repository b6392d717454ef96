// Reads Prometheus' text format, version 0.0.4, strictly: what a scraper would refuse throws.
import { until } from './wait.mjs';

const sample = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/;
const suffixes = { histogram: ['_bucket', '_sum', '_count'] };

// A map from the sample, as in `name{label="x"}`, to its number.
export function parseMetrics(text) {
	const [types, helps, values] = [new Map(), new Set(), new Map()];
	if (!text.endsWith('\n')) throw new Error('the last line does not end');
	for (const line of text.slice(0, -1).split('\n')) {
		const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
		if (comment?.[1] === 'HELP') {
			if (helps.has(comment[2])) throw new Error(`two helps of ${comment[2]}`);
			helps.add(comment[2]);
		} else if (comment) {
			if (types.has(comment[2])) throw new Error(`two types of ${comment[2]}`);
			if (!['counter', 'gauge', 'histogram'].includes(comment[3])) throw new Error(`the type ${comment[3]}`);
			types.set(comment[2], comment[3]);
		} else {
			const found = sample.exec(line);
			if (!found || Number.isNaN(Number(found[3].replace('+Inf', 'Infinity')))) throw new Error(`no sample: ${line}`);
			const family = [...types.keys()].at(-1);
			const names = (suffixes[types.get(family)] ?? ['']).map((suffix) => family + suffix);
			if (!names.includes(found[1])) throw new Error(`${found[1]} does not belong to ${family}`);
			if (types.get(family) === 'counter' && !family.endsWith('_total')) throw new Error(`the counter ${family}`);
			const key = line.slice(0, line.lastIndexOf(' '));
			if (values.has(key)) throw new Error(`${key} is there twice`);
			values.set(key, Number(found[3]));
		}
	}
	for (const family of types.keys()) if (!helps.has(family)) throw new Error(`${family} has no help`);
	return values;
}

// Waits until SERVER has noticed that all clients have gone but the one that asks.
export async function untilAlone(server) {
	await until('the end of all connections', async () => {
		const { text } = await server.request('/metrics');
		return parseMetrics(text).get('smartsupport_connections') === 1;
	});
}
