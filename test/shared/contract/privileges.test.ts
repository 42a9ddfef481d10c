import { expect, test } from 'vitest';
import { PRIVILEGES, readPrivilege } from '../../../packages/shared/src/contract/privileges.ts';

test('a privilege is understood in the spellings that people use', () => {
  for (const privilege of PRIVILEGES) {
    const words = privilege.toLowerCase().replaceAll('_', ' ');
    for (const spelling of [privilege, words, words.replaceAll(' ', '-'), words.replaceAll(' ', '_')])
      expect(readPrivilege(spelling)).toBe(privilege);
  }
  expect(readPrivilege('Manage All Access Tokens'), 'as DataHub shows it').toBe('MANAGE_ACCESS_TOKENS');
  expect(readPrivilege('manage-service-users'), 'as they are called here').toBe('MANAGE_SERVICE_ACCOUNTS');
});

test('nothing else is a privilege', () => {
  for (const spelling of ['', 'MANAGE', 'MANAGE_USER', 'root', 'constructor', '__proto__', 'MANAGE_USERS,VIEW_AUDIT'])
    expect(readPrivilege(spelling)).toBeUndefined();
});
