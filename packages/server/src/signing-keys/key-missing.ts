import { PangolinError } from '@pangolin/shared/errors';

/** What is thrown where a database has not the key that every installation has: it was emptied, or copied in part. */
export const keyMissing = (state: 'active' | 'next'): PangolinError =>
  new PangolinError('storage_damaged', `The database is not whole: it has no signing key that is ${state}.`, {
    hint: 'Put its data back.',
    retryAfterSeconds: 1,
  });
