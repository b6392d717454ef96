// What turns_api.test.mjs says, with PostgreSQL as the storage.
import './lib/on_postgresql.mjs';
await import('./turns_api.test.mjs');
