// Certificates that openssl makes: an authority of the test's own, and what it signs.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from './files.mjs';

function openssl(...args) {
	return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export class Authority {
	constructor() {
		this.folder = temporaryFolder();
		this.file = this.path('ca.pem');
		openssl('req', '-x509', ...newKey, '-keyout', this.path('ca.key'), '-out', this.file, '-subj', '/CN=Authority of a test', '-days', '30');
		this.ca = fs.readFileSync(this.file);
		this.count = 0;
	}

	path(name) {
		return path.join(this.folder, name);
	}

	// A certificate for 127.0.0.1 that is good for DAYS. Gives {certificate, key, serial}: two files, and its number as
	// clients show it.
	issue({ days = 100 } = {}) {
		const name = `server-${++this.count}`;
		const [certificate, key, request] = ['pem', 'key', 'csr'].map((end) => this.path(`${name}.${end}`));
		openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1');
		const serial = (0x1000 + this.count).toString(16).toUpperCase();
		openssl('x509', '-req', '-in', request, '-CA', this.file, '-CAkey', this.path('ca.key'), '-out', certificate, '-copy_extensions', 'copy', '-days', String(days), '-set_serial', `0x${serial}`);
		return { certificate, key, serial };
	}
}
