// What idempotency.test.mjs says, with PostgreSQL as the storage.
import './lib/on_postgresql.mjs';
await import('./idempotency.test.mjs');
