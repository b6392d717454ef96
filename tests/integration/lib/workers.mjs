// Every worker of a server, one by one: what one of them knows another may not know yet.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { until } from './wait.mjs';

// One connection, which is never made again: another one might go to another worker.
export class Connection extends http.Agent {
	constructor() {
		super({ keepAlive: true, maxSockets: 1 });
	}

	createConnection(...args) {
		assert.equal(this.socket, undefined, 'the connection to the worker stays open');
		return (this.socket = super.createConnection(...args));
	}
}

function portOf(address) {
	return Number.parseInt(address.split(':')[1], 16);
}

// The sockets of the process PID, as links name them.
function socketsOf(pid) {
	const folder = `/proc/${pid}/fd`;
	const read = (call, otherwise) => {
		try {
			return call();
		} catch {
			return otherwise; // closed meanwhile, or the process has ended
		}
	};
	return read(() => fs.readdirSync(folder), []).map((fd) => read(() => fs.readlinkSync(`${folder}/${fd}`), ''));
}

// The ends that SERVER has of CONNECTIONS, as links name them.
function endsOf(server, connections) {
	const ports = new Set(connections.map(({ socket }) => socket.localPort));
	const rows = fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/));
	return rows
		.filter(([, local, remote]) => remote && portOf(local) === server.port && ports.has(portOf(remote)))
		.map((row) => `socket:[${row[9]}]`);
}

// The process at the other end of CONNECTION.
export function workerAt(server, connection) {
	const [end] = endsOf(server, [connection]);
	return end && server.workers().find((pid) => socketsOf(pid).includes(end));
}

// How many of CONNECTIONS each of the processes PIDS has. One may be missed while others come and go.
export function sharesOf(server, connections, pids) {
	const ends = new Set(endsOf(server, connections));
	return pids.map((pid) => socketsOf(pid).filter((socket) => ends.has(socket)).length);
}

// A connection to each worker of SERVER, by its process: requests with this agent go to this worker. Whoever asks for them
// destroys them.
export async function connectToWorkers(server) {
	const made = [];
	const found = new Map();
	try {
		await until('a connection to each worker', async () => {
			const connection = new Connection();
			made.push(connection);
			await server.request('/livez', { agent: connection });
			const pid = workerAt(server, connection);
			if (pid !== undefined && !found.has(pid)) found.set(pid, connection);
			const workers = server.workers();
			return workers.length > 0 && workers.every((worker) => found.has(worker));
		});
		const needed = new Set(found.values());
		for (const connection of made) if (!needed.has(connection)) connection.destroy();
		return found;
	} catch (error) {
		for (const connection of made) connection.destroy();
		throw error;
	}
}

// Calls BODY(agent, pid) for each worker of SERVER, one after another.
export async function eachWorker(server, body) {
	const connections = await connectToWorkers(server);
	try {
		for (const [pid, connection] of connections) await body(connection, pid);
	} finally {
		for (const connection of connections.values()) connection.destroy();
	}
}
