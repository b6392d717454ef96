// Imported before a file of tests: they run on PostgreSQL instead of SQLite.
import { Postgres } from './postgres.mjs';
import { storage } from './store.mjs';

storage.postgres = await Postgres.start();
