// `smartsupport plugin check` finds what each kind of plugin can do wrong, and says it so that its author knows what to mend. The
// plugins are the templates with one mistake each.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { root, temporaryFolder } from './lib/files.mjs';
import { runCommand, runProgram } from './lib/server.mjs';

const first = { agent: 'static enum ss_result run(', llm: 'static int generate(', embedder: 'static int embed(', index: 'static int search(' };

// The source with CODE in front of all else that the function does which BEGINNING begins.
function within(source, beginning, code) {
	const at = source.indexOf('\n{\n', source.indexOf(beginning)) + 3;
	assert.ok(at > 3, beginning);
	return `${source.slice(0, at)}\t${code}\n${source.slice(at)}`;
}

function changed(source, [from, to]) {
	assert.ok(source.includes(from), from);
	return source.replace(from, to);
}

// Builds the template of KIND with a mistake, {at, code, change, global}, and gives the mistakes that are found.
async function check(kind, { at = first[kind], code, change = [], global = '' }, ...args) {
	const folder = temporaryFolder();
	let source = fs.readFileSync(path.join(root, `plugins/templates/${kind}/my_plugin.c`), 'utf8');
	for (const one of change) source = changed(source, one);
	if (code) source = within(source, at, code);
	source = source.replace(/(#include <smartsupport\/smartsupport.h>\n)/, `$1#include <fcntl.h>\n#include <signal.h>\n#include <sys/resource.h>\n#include <sys/stat.h>\n#include <unistd.h>\n${global}\n`);
	fs.writeFileSync(path.join(folder, 'plugin.c'), source);
	const file = path.join(folder, 'my_plugin.so');
	const built = await runCommand('cc', ['-shared', '-fPIC', '-fvisibility=hidden', '-D_GNU_SOURCE', `-I${root}/include`, 'plugin.c', '-o', file], { cwd: folder });
	assert.equal(built.code, 0, built.stderr);
	const options = kind === 'storage' ? ['--options', `path: ${path.join(folder, 'try.db')}`] : [];
	const { code: exit, stdout, stderr } = await runProgram(['plugin', 'check', file, '--json', '--timeout', '300', ...options, ...args], { env: { ASAN_OPTIONS: 'intercept_tls_get_addr=0' } });
	assert.equal(stderr, '');
	const report = JSON.parse(stdout);
	const mistakes = report.cases.filter(({ ok }) => !ok);
	assert.equal(exit, mistakes.length > 0 ? 1 : 0);
	return mistakes.map((one) => `${one.case}: ${one.what}: ${one.expected}: ${one.came}`).join('\n');
}

const values = '((const struct my_plugin *)instance)->host->values';
const host = '((const struct my_plugin *)instance)->host';

// Of each mistake: who makes it, which case finds it, and what that says.
const mistakes = {
	'ends the process': [Object.keys(first), { code: '_exit(0);' }, 'usual|vectors have|finds what', /an end in good order: the plugin ended the process, as exit\(\) does/],
	'ends the process when it is loaded': [['agent'], { global: '__attribute__((constructor)) static void leave(void) { _exit(0); }' }, 'it is a plugin', /the plugin ended the process/],
	'leaves files open': [['agent', 'llm', 'embedder', 'index', 'storage'], { at: 'static int create(', code: '(void)!open("/dev/null", O_RDONLY);' }, 'no files open', /open files and connections .*: as many as before: 4 more after 4 instances/],
	'closes files of others': [['agent', 'index'], { code: 'close(0);' }, 'process as it was', /files of others: descriptor 0 open: closed/],
	'goes to another folder': [['agent', 'llm'], { code: 'if (chdir("/") != 0) abort();' }, 'process as it was', /the working folder of the process: \/\S+: \/$/],
	'changes the umask': [['embedder'], { code: 'umask(0);' }, 'process as it was', /the umask of the process: 0\d\d: 000$/],
	'lowers a limit': [['agent', 'storage'], { at: 'static int create(', code: 'setrlimit(RLIMIT_NOFILE, &(struct rlimit){32, 32});' }, 'process as it was', /the limits of the process: open files \d+, .*: open files 32, /],
	'ignores a signal': [['agent'], { code: 'signal(SIGTERM, SIG_IGN);' }, 'process as it was', /what the process does on signals: .*SIGTERM as usual.*: .*SIGTERM is ignored/],
	'shows another symbol': [['storage'], { global: 'SS_EXPORT int another; int another = 1;' }, 'exports', /-fvisibility=hidden: also another/],
	'waits on the loop': [['agent', 'llm'], { code: 'usleep(100000);' }, 'gives the loop back', /nothing that waits: 1\d\d ms at best of 5 times/],
	'returns nonsense': [['agent'], { code: 'if (run != NULL) return (enum ss_result)77;' }, 'usual state', /run\(\) returned 77, which is no result/],
	'writes another type': [['agent'], { code: `if (${host}->write(run, 1, ${values}->integer(1), err) < 0) return SS_FAILED;` }, 'usual state', /only what the descriptor allows: the field found is of another type/],
	'uses what it does not declare': [
		['agent'],
		{ code: `const struct ss_search query = {sizeof query, {"a", 1}, NULL, 1, 0}; if (${host}->search(run, &query, found, err) < 0) return SS_FAILED;`, global: 'static void found(void *i, struct ss_run *r, const struct ss_value *a, const struct ss_error *e) { (void)i; (void)r; (void)a; (void)e; }' },
		'usual state',
		/only what the descriptor allows: the agent my_plugin does not declare .* search\(\)/,
	],
	'answers with what is no text': [['llm'], { change: [['.answer = text,', '.answer = {"\\xff", 1},']] }, 'usual question', /an answer: UTF-8, and not empty: 1 bytes/],
	'answers with nothing': [['llm'], { change: [['.answer = text,', '.answer = {"", 0},']] }, 'usual question', /UTF-8, and not empty: 0 bytes/],
	'names a source that it was not given': [['llm'], { change: [['values->ref(values->get(article, "id"))', 'values->string("nowhere", 7)']] }, 'usual question', /ids of the articles that were given: \["nowhere"\]/],
	'hands on other words than it answers': [['llm'], { change: [['piece(generation, text)', 'piece(generation, (struct ss_text){"Other", 5})']] }, 'usual question', /the pieces of an answer: its beginning: "Other" of "/],
	'is left out': [['llm'], { at: 'static int create(', code: 'if (setup != NULL) return 0;' }, 'made of its options', /an instance to be tried: none: .* the model is left out/],
	'fails without a sentence': [['embedder', 'index'], { code: 'if (count > 0) return -1;' }, 'vectors', /an error without a sentence/],
	'writes too far': [['embedder'], { code: 'vectors[count * ((struct my_plugin *)instance)->dimension] = 1;' }, 'length 1', /embed\(\): writes where its results belong alone/],
	'gives each text the same vector': [['embedder'], { code: 'for (size_t i = 0; i < count * dimension(instance); i++) vectors[i] = i % dimension(instance) == 0; if (count > 0) return 0;' }, 'length 1', /different vectors: the same one/],
	'finds too much': [['index'], { code: 'ids[count * k] = 1;' }, 'finds what it holds', /search\(\): writes where its results belong alone: something behind the ids/],
	'answers one of several queries': [['index'], { code: 'for (size_t i = k; i < count * k; i++) ids[i] = -1; count = 1;' }, 'finds what it holds', /what each of them finds by itself: row -1 in front for query 1, by itself row 1/],
	'keeps what it was lent': [['index'], { change: [['if (count > 0)\n		memcpy(copy, vectors, count * dimension * sizeof *copy);', 'free(copy);\n	copy = (float *)vectors;'], ['	free(my_plugin->vectors);\n	my_plugin->vectors = copy;', '	my_plugin->vectors = copy;'], ['	free(my_plugin->vectors);\n	free(my_plugin);', '	free(my_plugin);']] }, 'finds what it holds', /a search for a vector that is there: it, with the score 1: row \d+ for row \d+, with 0/],
	'saves and does not load': [['index'], { change: [['.search = search,', '.search = search,\n\t.save = save,']], global: 'static int save(void *i, void **b, size_t *l, struct ss_error *e) { (void)i; (void)e; *b = NULL; *l = 0; return 0; }' }, 'can be loaded', /both or neither: only save/],
};

describe('plugin check', { concurrency: 2 }, () => {
	for (const [name, [kinds, mistake, sentence, message]] of Object.entries(mistakes)) {
		for (const kind of kinds) {
			test(`finds that the ${kind} ${name}`, async () => {
				const found = (await Promise.all(sentence.split('|').map((part) => check(kind, mistake, '--case', part)))).filter(Boolean).join('\n');
				assert.match(found, message);
			});
		}
	}

	for (const kind of Object.keys(first)) {
		test(`finds nothing wrong with the template of the ${kind}`, async () => assert.equal(await check(kind, {}), ''));
	}

	test('ends a plugin that never returns, whatever it has made of alarms', async () => {
		const found = await check('agent', { code: 'signal(SIGALRM, SIG_IGN); alarm(0); for (;;) pause();' }, '--timeout', '2', '--case', 'usual state');
		assert.match(found, /an end in good order: none after 2 s$/);
	});

	test('finds processes that a plugin leaves behind, and ends them', async () => {
		const name = `left${process.pid}`;
		const code = `if (fork() == 0) { execl("/bin/sh", "${name}", "-c", "while :; do sleep 1; done", (char *)NULL); _exit(1); }`;
		const found = await check('agent', { code }, '--timeout', '60', '--case', 'usual state');
		assert.match(found, /an end in good order: processes that the plugin had started went on; they were ended$/);
		const names = fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).map((pid) => {
			try {
				return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0];
			} catch {
				return ''; // it has ended
			}
		});
		assert.ok(!names.includes(name));
	});

	test('tells how much memory a plugin had that wants too much', { skip: /debug|tsan/.test(process.env.SMARTSUPPORT_BIN ?? 'debug') && 'a sanitizer needs more address space than any limit' }, async () => {
		const found = await check('agent', { code: 'for (;;) { char *more = malloc(1 << 20); if (more == NULL) abort(); memset(more, 1, 1 << 20); }' }, '--memory', '512', '--case', 'usual state');
		assert.match(found, /it had \d+ MiB of memory, of 512 that --memory allows/);
	});
});

test('an enum has the values that are given, in a usual state and in an odd one', async () => {
	const read = `if (strcmp(${values}->as_string(${host}->read(run, 0), NULL), "red") != 0 && strcmp(${values}->as_string(${host}->read(run, 0), NULL), "blue") != 0) return SS_FAILED;`;
	assert.equal(await check('agent', { code: read }, '--values', 'message: [red, blue]'), '');
	assert.match(await check('agent', { code: read }, '--case', 'usual state'), /failed without saying why/);
	const file = path.join(temporaryFolder(), 'none.so');
	for (const [given, message] of [
		['message: []', /--values:1:1: the field message must be a list of 1 to 64 values/],
		['message: [a b]', /the field message has a value that is no word/],
		['[message]', /must be a mapping from fields to lists of values/],
	]) {
		const { code, stderr } = await runProgram(['plugin', 'check', file, '--values', given]);
		assert.equal(code, 1);
		assert.match(stderr, message);
	}
});
