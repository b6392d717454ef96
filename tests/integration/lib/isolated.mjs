// Run by isolation.test.mjs inside a network of its own: starts a server, asks it, and prints what it saw.
import os from 'node:os';
import { Installation } from './files.mjs';
import { withServer } from './server.mjs';

await withServer({ installation: new Installation() }, async (server) => {
	const reply = await server.ask('How do I reset my password?');
	const { total_queries: stored } = await server.stats();
	console.log(JSON.stringify({ interfaces: Object.keys(os.networkInterfaces()), category: reply.category, stored }));
});
