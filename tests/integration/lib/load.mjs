// Customers who ask all the time, while a test does something to the server.
import assert from 'node:assert/strict';
import { pause, until } from './wait.mjs';

// Begins. Each of the COUNT customers asks one question after the other, REST milliseconds after its last answer, on a connection of its own
// each time unless there is an AGENT.
// end() waits for one more answer, ends it and gives how many there were; a question that fails is its failure.
export function keepAsking(server, { count = 2, rest = 0, agent, check = () => {} } = {}) {
	let [over, answered] = [false, 0];
	const customers = Promise.all(
		Array.from({ length: count }, async (_, customer) => {
			for (let i = 0; !over; i++) {
				const reply = await server.query({ message: `How do I reset my password? ${i}`, user_id: `customer ${customer} ${i}` }, { agent });
				assert.equal(reply.status, 200, reply.text);
				check(reply.json);
				answered++;
				if (rest > 0) await pause(rest);
			}
		}),
	);
	customers.catch(() => {}); // who ends it sees it
	const more = async () => {
		const before = answered;
		await Promise.race([customers, until('another answer', () => answered > before)]);
	};
	return {
		more,
		end: async () => {
			await more();
			over = true;
			await customers;
			return answered;
		},
	};
}
