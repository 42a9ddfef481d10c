/** What can be granted, by the names DataHub's users know. */
export const PRIVILEGES = [
  'GENERATE_PERSONAL_ACCESS_TOKENS',
  'MANAGE_ACCESS_TOKENS',
  'MANAGE_SERVICE_ACCOUNTS',
  'MANAGE_USERS',
  'MANAGE_CATALOGS',
  'VIEW_AUDIT',
] as const;
export type Privilege = (typeof PRIVILEGES)[number];

/** What DataHub shows its users, and what the objects are called here. */
const ALIASES: Record<string, Privilege> = {
  manageallaccesstokens: 'MANAGE_ACCESS_TOKENS',
  manageserviceusers: 'MANAGE_SERVICE_ACCOUNTS',
};

/** Other names of privileges that are read. */
export const PRIVILEGE_ALIASES = ['MANAGE_ALL_ACCESS_TOKENS', 'MANAGE_SERVICE_USERS'] as const;

/**
 * Reads a privilege in any spelling people use: `MANAGE_USERS`, `manage-users`, `Manage Users`.
 * Answers undefined for anything else.
 */
export function readPrivilege(spelling: string): Privilege | undefined {
  const folded = fold(spelling);
  if (Object.hasOwn(ALIASES, folded)) return ALIASES[folded];
  return PRIVILEGES.find((privilege) => fold(privilege) === folded);
}

const fold = (spelling: string): string => spelling.toLowerCase().replace(/[-_ ]/g, '');
