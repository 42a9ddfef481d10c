import type { Executor } from '../store/schema.ts';
import { findTenant } from './store.ts';

/** A tenant by its id, or undefined if there is none. */
export const readTenant = (db: Executor, id: string) => findTenant(db, id);
