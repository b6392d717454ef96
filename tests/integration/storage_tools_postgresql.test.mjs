// What storage_tools.test.mjs says, with PostgreSQL as the storage.
import './lib/on_postgresql.mjs';
await import('./storage_tools.test.mjs');
