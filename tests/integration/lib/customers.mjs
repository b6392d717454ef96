// Customers who ask until they are told to stop, and what must be stored of the replies that they got.
import assert from 'node:assert/strict';
import { pause } from './wait.mjs';

export const texts = [
	'How do I reset my password?',
	'Where can I find my invoices?',
	'Why does the app crash during an export?',
	'Which languages does the interface have?',
];

// One customer: asks, goes on in the same conversation, and after a failure begins another.
export async function customer(server, agent, name, received, over) {
	let conversation;
	for (let i = 0; !over(); i++) {
		const message = `${texts[i % texts.length]} ${name} ${i}`;
		try {
			const reply = await server.query(
				{ message, user_id: name, ...(conversation && i % 5 !== 0 && { conversation_id: conversation }) },
				{ agent },
			);
			if (reply.status !== 200) {
				assert.equal(reply.status, 503, reply.text);
				await pause(50);
				continue;
			}
			conversation = reply.json.conversation_id;
			received.push({ message, reply: reply.json });
		} catch (error) {
			assert.ok(['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(error.code), error.stack);
			conversation = undefined;
			await pause(20);
		}
	}
}

export async function assertConversationsWhole(server) {
	const broken = await server.rows(
		`SELECT * FROM (
		   SELECT c.id, c.message_count, count(*) AS messages, min(m.seq) AS first, max(m.seq) AS last,
		          sum(CASE WHEN m.role = CASE m.seq % 2 WHEN 1 THEN 'user' ELSE 'assistant' END THEN 1 ELSE 0 END) AS in_order
		   FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id GROUP BY c.id, c.message_count
		 ) AS counted
		 WHERE messages <> message_count OR first <> 1 OR last <> messages OR in_order <> messages OR messages % 2 <> 0`,
	);
	assert.deepEqual(broken, []);
}

export async function assertStoredOnce(server, received) {
	const rows = await server.rows("SELECT turn_id, conversation_id, seq, content FROM messages WHERE role = 'assistant'");
	const asked = new Map(
		(await server.rows("SELECT conversation_id, seq, content FROM messages WHERE role = 'user'")).map((row) => [
			`${row.conversation_id} ${row.seq}`,
			row.content,
		]),
	);
	const stored = new Map(rows.map((row) => [row.turn_id, row]));
	assert.equal(stored.size, rows.length, 'no turn is there twice');
	const last = new Map();
	for (const { message, reply } of received) {
		const row = stored.get(reply.metadata.turn_id);
		assert.ok(row, `the reply ${reply.metadata.turn_id} is stored`);
		assert.equal(row.content, reply.response);
		assert.equal(row.conversation_id, reply.conversation_id);
		assert.equal(asked.get(`${row.conversation_id} ${row.seq - 1}`), message);
		assert.ok(row.seq > (last.get(row.conversation_id) ?? 0), 'in the order of the replies');
		last.set(row.conversation_id, row.seq);
	}
}
