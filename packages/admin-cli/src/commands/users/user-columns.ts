import { type Column, type FieldValue, formatTime } from '@pangolin/shared/cli';
import type { User } from '@pangolin/shared/contract';

/** The columns of a list of users. */
export const USER_COLUMNS: Column<User>[] = [
  { title: 'ID', value: (user) => user.id },
  { title: 'USERNAME', value: (user) => user.username, flexible: true },
  { title: 'EMAIL', value: (user) => user.email, flexible: true },
  { title: 'ROLE', value: (user) => user.role },
  { title: 'ACTIVE', value: (user) => user.active, terminal: (user) => (user.active ? 'yes' : 'no') },
  { title: 'CREATED', value: (user) => user.created_at, terminal: null },
  { title: 'LAST LOGIN', value: (user) => user.last_login_at, terminal: (user) => formatTime(user.last_login_at) },
];

/** The fields of one user. */
export const userFields = (user: User): Record<string, FieldValue> => ({
  id: user.id,
  username: user.username,
  email: user.email,
  role: user.role,
  tenant_id: user.tenant_id,
  active: user.active,
  created_at: user.created_at,
  created_by: user.created_by,
  last_login_at: user.last_login_at,
});
