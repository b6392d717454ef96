// Weights, keywords, routes and categories change with an edit of the workflow file alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { runProgram } from './lib/server.mjs';

const crash = 'My application keeps crashing when I try to export data';

async function ask(installation, question) {
	const { code, stdout, stderr } = await runProgram(['ask', '--json', '--config', installation.config, question], {
		env: installation.env,
	});
	assert.equal(code, 0, stderr);
	return JSON.parse(stdout);
}

test('a changed sentiment weight changes the priority', async () => {
	const installation = new Installation();
	installation.editWorkflow('Negative: 2', 'Negative: 1');
	assert.equal((await ask(installation, crash)).reply.priority, 6);
});

test('a category weight is added, and explained', async () => {
	const installation = new Installation();
	installation.editWorkflow('category_weights: {Technical: 0', 'category_weights: {Technical: -2');
	const { reply } = await ask(installation, crash);
	assert.equal(reply.priority, 5);
	assert.ok(reply.metadata.priority_factors.some((factor) => factor.factor === 'category' && factor.weight === -2));
});

test('the priority is held between 1 and 10', async () => {
	const installation = new Installation();
	installation.editWorkflow('Negative: 2', 'Negative: 50');
	assert.equal((await ask(installation, crash)).reply.priority, 10);
	installation.editWorkflow('Negative: 50', 'Negative: -50');
	assert.equal((await ask(installation, crash)).reply.priority, 1);
});

test('a new keyword escalates', async () => {
	const installation = new Installation();
	const question = 'How do I reset my password on my toaster?';
	assert.equal((await ask(installation, question)).reply.metadata.escalated, false);
	installation.editWorkflow('- lawsuit', '- lawsuit\n        - toaster');
	const { reply } = await ask(installation, question);
	assert.equal(reply.metadata.escalated, true);
	assert.match(reply.metadata.escalation_reason, /toaster/);
});

test('a keyword that is taken out escalates no more', async () => {
	const installation = new Installation();
	const question = 'Which address can my attorney write to?';
	assert.equal((await ask(installation, question)).reply.metadata.escalated, true);
	installation.editWorkflow(/ +- attorney\n/, '');
	assert.equal((await ask(installation, question)).reply.metadata.escalated, false);
});

test('a changed route sends a category to another agent', async () => {
	const installation = new Installation();
	installation.editWorkflow(`{when: 'category == "Technical"', to: technical}`, `{when: 'category == "Technical" && priority > 100', to: technical}`);
	const { trace } = await ask(installation, crash);
	const nodes = trace.map((entry) => entry.node);
	assert.ok(!nodes.includes('technical') && nodes.includes('general'), nodes.join(' '));
});

test('a route decides by any field, and the trace tells the condition that was true', async () => {
	const installation = new Installation();
	const condition = 'priority >= 7 && sentiment in ["Negative", "Angry"]';
	installation.editWorkflow('      - {when: escalated, to: escalate}', `      - {when: '${condition}', to: escalate}\n      - {when: escalated, to: escalate}`);
	const { trace } = await ask(installation, crash);
	assert.ok(trace.some((entry) => entry.node === 'escalate'));
	const taken = trace.find((entry) => entry.node === 'check').taken;
	assert.equal(taken[0].when, condition);
});

test('without Account, an account question gets one of the categories that are left', async () => {
	const installation = new Installation();
	installation.editWorkflow('values: [Technical, Billing, Account, General]', 'values: [Technical, Billing, General]');
	installation.editWorkflow(', Account: 0', '');
	installation.editWorkflow(/^ {2}account:\n(?: {4}.*\n)+/m, '');
	installation.editWorkflow(/ +- \{when: 'category == "Account"'.*\n/, '');
	installation.editWorkflow('billing, account, general', 'billing, general');
	const { reply } = await ask(installation, 'How do I reset my password?');
	assert.ok(['Technical', 'Billing', 'General'].includes(reply.category), reply.category);
	assert.match(reply.response, /Forgot password/);
});

test('a category of one\'s own is found by its words and has its route', async () => {
	const installation = new Installation();
	installation.editWorkflow('values: [Technical, Billing, Account, General]', 'values: [Technical, Billing, Account, General, Shipping]');
	installation.editWorkflow('head: ../../kb/heads/category.json', 'head: ../../kb/heads/category.json\n      keywords: {Shipping: [parcel, tracking number]}');
	installation.editWorkflow('      - {else: general}', `      - {when: 'category == "Shipping"', to: billing}\n      - {else: general}`);
	const shipped = await ask(installation, 'Where is my parcel?');
	assert.equal(shipped.reply.category, 'Shipping');
	assert.ok(shipped.trace.some((entry) => entry.node === 'billing'));
	assert.equal((await ask(installation, 'How do I reset my password?')).reply.category, 'Account');
});

test('an article that is added answers', async () => {
	const installation = new Installation();
	installation.write(
		'kb/articles/carrier-pigeons.md',
		'---\nid: carrier-pigeons\ntitle: How do I pair my carrier pigeon with the workspace?\ncategory: Technical\n---\nOpen **Settings > Pigeons** and whistle twice; the pigeon is paired within 5 minutes.\n\n1. Open Settings.\n2. Whistle twice.\n',
	);
	const { reply } = await ask(installation, 'How can I pair a carrier pigeon?');
	assert.equal(reply.metadata.kb_results[0].id, 'carrier-pigeons');
	assert.match(reply.response, /whistle twice/i);
});
