// What users.test.mjs says, with PostgreSQL as the storage.
import './lib/on_postgresql.mjs';
await import('./users.test.mjs');
