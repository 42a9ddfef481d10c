import { isUuid } from '@pangolin/shared/cli';

/** Whom a command line names, a user or service user by name or id, in the fields of the wire. */
export const principalFields = (named: string): { user_id: string } | { username: string } =>
  isUuid(named) ? { user_id: named.toLowerCase() } : { username: named };
