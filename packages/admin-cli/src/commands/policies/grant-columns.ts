import { type Column, type FieldValue, formatTime } from '@pangolin/shared/cli';
import type { Grant } from '@pangolin/shared/contract';

const KINDS: Record<string, string> = { role: 'role', user: 'user', service_user: 'service user' };

/** The columns of a list of grants. */
export const GRANT_COLUMNS: Column<Grant>[] = [
  { title: 'PRIVILEGE', value: ({ privilege }) => privilege },
  {
    title: 'GRANTED TO',
    value: ({ grantee }) => grantee?.kind,
    terminal: ({ grantee }) => KINDS[grantee?.kind] ?? grantee?.kind,
  },
  { title: 'NAME', value: ({ grantee }) => grantee?.name, flexible: true },
  { title: 'GRANTEE ID', value: ({ grantee }) => grantee?.id, terminal: null },
  { title: 'CREATED', value: (grant) => grant.created_at, terminal: (grant) => formatTime(grant.created_at) },
  { title: 'BY', value: (grant) => grant.created_by },
  { title: 'ID', value: ({ id }) => id },
];

/** The fields of one grant. */
export const grantFields = ({ grantee, ...grant }: Grant): Record<string, FieldValue> => ({
  id: grant.id,
  privilege: grant.privilege,
  grantee_kind: grantee?.kind,
  grantee_name: grantee?.name,
  grantee_id: grantee?.id,
  tenant_id: grant.tenant_id,
  created_at: grant.created_at,
  created_by: grant.created_by,
});
