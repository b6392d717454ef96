// The conformance suite: both storages pass it, and it finds what others do wrong.
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { plugins, program, temporaryFolder } from './lib/files.mjs';
import { Postgres } from './lib/postgres.mjs';
import { runProgram } from './lib/server.mjs';
import { patience } from './lib/wait.mjs';

const sqlite = path.join(plugins, 'storage/sqlite.so');
const faulty = path.join(path.dirname(program), 'tests/plugins/storage/faulty.so');

// A whole run has more than a hundred cases, each in a process of its own.
function check(...args) {
	return runProgram(['plugin', 'check', ...args], { limit: 10 * patience });
}

function database() {
	return path.join(temporaryFolder(), 'store.db');
}

// What the suite finds of a storage with a fault: the sentences of the cases that failed, of all or of one.
async function failures(fault, sentence) {
	const options = JSON.stringify({ path: database(), fault });
	const { code, stdout, stderr } = await check('--storage', faulty, '--options', options, '--json', ...(sentence ? ['--case', sentence] : []));
	const report = JSON.parse(stdout);
	const failed = report.cases.filter((one) => !one.ok);
	assert.equal(stderr, '');
	assert.equal(report.failed, failed.length);
	assert.equal(report.passed, report.cases.length - failed.length);
	assert.equal(code, failed.length > 0 ? 1 : 0);
	for (const { what, expected, came } of failed) assert.notEqual(expected, came, what);
	return failed.map((one) => one.case);
}

// For each fault of the fixture a case that must find it; others may as well.
const faults = {
	loses_the_last: 'many turns are stored at once, in their order',
	counts_twice: 'a turn counts once in the totals, in its category and in its sentiment',
	stores_all_or_none: 'a turn that is refused leaves the others of its batch alone',
	hides_conflicts: 'another turn with the id of a stored one is refused',
	cuts_at_nul: 'texts come back byte by byte: any script, 4-byte characters, NUL, and none',
	cuts_at_4_bytes: 'texts come back byte by byte: any script, 4-byte characters, NUL, and none',
	cuts_long_texts: 'texts of a megabyte come back whole',
	stores_stale_totals: 'all turns that two instances store at once are counted, and kept with their answers',
	saves_when_closed: 'what was stored outlives a process that dies without closing the store',
	tells_the_newest_first: 'a history is the last messages, as many as are asked for, oldest first',
	shows_others: 'a conversation of another user is not found, like one that does not exist',
	takes_any_vector: "a question's vector comes back as it was, to the embedder that made it and no other",
	forgets_threads: 'a thread finds the conversation at each of its turns, for its user',
	caches_stats: 'two instances see at once what the other has stored',
	is_never_well: 'a store opens, and says that turns can be stored',
	adds_votes: 'a vote counts for each article of its turn, and another one takes its place',
	pages_by_offset: 'pages of the most asked questions miss none and repeat none while others come',
	leaves_out_the_end: 'a range of articles has both its ends and is compared byte by byte',
	ignores_fences: 'who writes under an old fence is refused, and nobody beside',
	ignores_leases: "a lease that is not over is nobody else's",
	turns_entries_round: 'entries are read in the order of their numbers, of whatever writes they are',
	ends_leases_with_a_status: 'a status does not change how long a lease lasts',
	lists_all: 'a list has the journals of a status that began before one, the newest first',
	lists_from_the_start: 'a list has the journals of a status that began before one, the newest first',
	lists_others_journals: 'a list has the journals of one user, or those that nobody holds',
	lists_what_is_held: 'a list has the journals of one user, or those that nobody holds',
	deletes_what_is_held: 'a journal is deleted with its entries, unless somebody holds its lease',
	filters_by_one: 'a list has the conversations that fit its filter in all, those first that changed last',
	pages_by_time: 'pages of conversations of one time miss none and repeat none',
	replies_again: 'a reply is stored once, and with it all that comes with it',
	changes_others: "a change that is wrong, or of another user's conversation, changes nothing",
	leaves_journals: 'a conversation is deleted with all that is of it; others and figures stay',
	forgets_names: 'what is not given of a user stays, and what is empty goes',
	ignores_prefixes: 'pages of users are by their ids, of those who are vip or not, and by a prefix',
	adds_ratings: 'a rating counts when its turn was spoken of first, also when it changes later',
	resolves_again: 'a conversation counts each time that it becomes resolved',
	includes_the_end: 'steps of a day have the sums of their hours, and come in their order',
	leaves_questions: 'questions without an answer go when they are in the words of who is erased',
	erases_at_once: 'an erasure goes step by step, none of which deletes more than it is told',
	forgets_erasures: 'an erasure that nobody goes on with is ended by purge()',
	counts_the_step: 'an erasure that a process has begun and died in is gone on with',
	keeps_the_profile: 'an erasure goes step by step, none of which deletes more than it is told',
	ignores_versions: 'a document that has not the expected version is left alone',
	forgets_removals: 'who asks since a version is told what has changed and what was removed',
	reads_versions_last: 'who reads on while others store misses no change',
	forgets_events: 'the events of a turn are stored with it, once, and not when it is refused',
	passes_events_over: 'who reads on while others store misses no event',
	lists_any_type: 'events are listed by type, user and time',
	claims_again: "a delivery is one claimer's, until that one is gone",
	finishes_others: "a delivery is one claimer's, until that one is gone",
	claims_the_newest: 'those are claimed first that were due first',
	retries_at_once: 'a delivery that did not work is due again when it says so',
	counts_attempts_on: 'deliveries that are not pending are made due again',
	miscounts_failures: 'deliveries are counted by webhook and status',
	gives_new_subjects: 'a request whose lease is over is claimed again, for the same subject',
	ignores_fingerprints: "a request is one claimer's, and then its answer is given",
	keeps_requests: 'a request whose time is over is as if it were not there',
	lists_others_questions: 'the questions in the words of one user are listed',
	lists_others_requests: 'the requests of a user are listed page by page, and no others',
	leaves_replies: 'a request goes with the conversation that it is about',
	purges_pending: 'old events are deleted with their deliveries, unless one is pending',
	purges_the_later: 'old deliveries are deleted, unless they are pending',
	knows_short_ids: 'ids may have 255 characters',
	replaces_events: 'an event whose id is stored already is passed over',
	finishes_what_is_gone: 'a delivery that is gone when it is finished fails alone',
	begins_again: 'a list of requests does not go on from a place that no list gave',
	touches_erasures: 'an erasure that nobody goes on with is ended by purge()',
	tells_events_again: 'who watches is told of new events, once',
	never_waits: 'who watches waits while nothing changes that it watches',
};

// Most of what a run takes is waiting, for the disk and for times to pass.
describe('the suite', { concurrency: 4 }, () => {
	for (const [name, options] of [
		['sqlite', async () => ({ path: database() })],
		['postgresql', async () => ({ url: (await Postgres.start()).newDatabase() })],
	]) {
		test(`the storage ${name} does all that its contract says, also when there is data already`, async () => {
			const given = JSON.stringify(await options());
			for (let run = 0; run < 2; run++) {
				const { code, stdout, stderr } = await check('--storage', path.join(plugins, `storage/${name}.so`), '--options', given);
				assert.equal(code, 0, stdout + stderr);
				const lines = stdout.trimEnd().split('\n');
				assert.match(lines.at(-1), /^(\d+) cases: \1 ok, 0 failed$/);
				assert.equal(Number.parseInt(lines.at(-1)), lines.length - 1);
				for (const line of lines.slice(0, -1)) assert.match(line, /^ok +[a-z]+: \S/);
			}
		});
	}

	test('a storage without a fault is found right', async () => {
		assert.deepEqual(await failures('none'), []);
	});

	test('a storage that crashes or never returns fails where it does, and the suite goes on', async () => {
		const cases = {
			crashes: ['300', 'an end in good order', /^signal 9/],
			hangs: ['1', 'its end in time', /^none after 1 s$/],
		};
		for (const [fault, [timeout, expected, came]] of Object.entries(cases)) {
			const options = JSON.stringify({ path: database(), fault });
			const { code, stdout } = await check('-s', faulty, '-o', options, '--timeout', timeout, '--json');
			assert.equal(code, 1);
			const report = JSON.parse(stdout);
			const opening = report.cases.filter((one) => one.area === 'opening');
			for (const one of opening) {
				assert.equal(one.expected, expected);
				assert.match(one.came, came);
			}
			assert.ok(report.cases.length > opening.length);
		}
	});

	for (const [fault, sentence] of Object.entries(faults)) {
		test(`finds a storage that ${fault.replaceAll('_', ' ')}`, async () => {
			assert.deepEqual(await failures(fault, sentence), [sentence]);
		});
	}
});

test('a failure says what was expected and what came', async () => {
	const { code, stdout } = await check('-s', faulty, '-o', `{path: ${database()}, fault: leaves_out_the_end}`);
	assert.equal(code, 1);
	assert.match(
		stdout,
		/^FAILED +feedback: a range of articles .*\n +the articles from B to a\n +expected: (\S+)-B\|\S+-a\n +came: +\1-B\|(?!.*-a$)/m,
	);
	assert.match(stdout, /^\d+ cases: \d+ ok, 1 failed\n$/m);
});

test('a store that cannot be opened is the only failure', async () => {
	const { code, stdout } = await check('-s', sqlite, '-o', 'path: /nowhere/store.db');
	assert.equal(code, 1);
	assert.match(stdout, /came: .*cannot use the folder \/nowhere/);
	assert.match(stdout, /^1 case: 0 ok, 1 failed$/m);
});

test('what is wrong with the plugin or its options is told, and nothing is tried', async () => {
	const agent = path.join(plugins, 'agents/attempts.so');
	const rows = [
		[['-s', 'nothing.so'], /nothing\.so: cannot be loaded/],
		[['-s', agent], /attempts\.so: is the agent plugin "attempts", but --storage takes a storage/],
		[['-s', sqlite, '-o', 'pfad: x'], /--options:1:1: the storage sqlite has no key "pfad"/],
		[['-s', sqlite, '-o', '{path: [x]}'], /--options:1:8: path must be/],
		[['-s', sqlite, '-o', '[path]'], /the storage sqlite must be a mapping, not a list/],
		[['-s', sqlite, '-o', '{path'], /--options:2:1: is not YAML/],
		[['-s', faulty], /the storage faulty needs "?path/],
	];
	for (const [args, words] of rows) {
		const { code, stdout, stderr } = await check(...args);
		assert.equal(code, 1, args.join(' '));
		assert.equal(stdout, '');
		assert.match(stderr, words);
	}
});

test('arguments that are wrong get the usage', async () => {
	for (const args of [['check'], ['check', '-s', sqlite, '-s', sqlite], ['check', '-s', sqlite, 'more'], ['check', '--no'], ['check', '-s', sqlite, '-t', '0'], ['check', '-s', sqlite, '-t', '1x'], ['sing'], []]) {
		const { code, stdout, stderr } = await runProgram(['plugin', ...args]);
		assert.equal(code, 2, args.join(' '));
		assert.equal(stdout, '');
		assert.match(stderr, /^Usage: smartsupport plugin/m);
	}
	for (const args of [['--help'], ['check', '--help']]) {
		const { code, stdout } = await runProgram(['plugin', ...args]);
		assert.equal(code, 0);
		assert.match(stdout, /^Usage: smartsupport plugin/);
	}
});

test('a choice of cases that leaves none is refused', async () => {
	const { code, stderr } = await check('--storage', faulty, '--options', JSON.stringify({ path: database(), fault: 'none' }), '--case', 'no such case');
	assert.deepEqual([code, stderr], [1, 'smartsupport: no case has "no such case" in its sentence\n']);
});
