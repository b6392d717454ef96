// Makes trigrams.inc, the table of language.c, from texts/: node make_table.mjs > trigrams.inc
//
// A row is a trigram of letters and blanks, and for each language how much it speaks for that one: ten times the natural
// logarithm of its frequency there against that of all languages together.
import fs from 'node:fs';

const folder = new URL('texts/', import.meta.url);
const languages = fs.readdirSync(folder).sort();
const counts = new Map(); // trigram: a count for each language
const totals = languages.map(() => 0);

languages.forEach((file, language) => {
	// As language.c does: letters of ASCII become small, and what is neither a letter nor beyond ASCII a blank.
	const bytes = [...fs.readFileSync(new URL(file, folder))].map((byte) => (byte >= 128 ? byte : /[a-z]/i.test(String.fromCharCode(byte)) ? byte | 32 : 32));
	const text = [32, ...bytes, 32].filter((byte, at, all) => byte !== 32 || all[at - 1] !== 32);
	for (let at = 0; at + 3 <= text.length; at++) {
		const key = (text[at] << 16) | (text[at + 1] << 8) | text[at + 2];
		if (!counts.has(key)) counts.set(key, languages.map(() => 0));
		counts.get(key)[language]++;
		totals[language]++;
	}
});

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
console.log(`/* Made by make_table.mjs. ${languages.map((file) => file.replace('.txt', '')).join(', ')} */`);
for (const [key, row] of [...counts].sort(([a], [b]) => a - b)) {
	if (sum(row) < 2) continue;
	const weights = row.map((count, language) => Math.round(10 * Math.log(((count + 0.25) / totals[language]) * (sum(totals) / (sum(row) + 1.25)))));
	console.log(`{0x${key.toString(16)}, {${weights.join(', ')}}},`);
}
