import { describe, expect, test } from 'vitest';
import {
  createSessionPolicy,
  type SessionPolicyOptions,
} from '../../../../packages/server/src/iceberg/warehouse/session-policy.ts';

const TABLE = 's3://lake/wh/ns/t';
/** As many locations, each of so many characters. */
const longOnes = (count: number, characters: number) =>
  Array.from({ length: count }, (_, index) => `s3://lake/${index}/`.padEnd(characters, 'x'));
const textOf = (locations: string[], access: 'read' | 'write' = 'write', options?: SessionPolicyOptions) =>
  createSessionPolicy(locations, access, options)?.text ?? '';
const statementsOf = (...asked: Parameters<typeof textOf>) => JSON.parse(textOf(...asked)).Statement;

describe('keys of AWS’s KMS', () => {
  test.each([
    ['read', ['kms:Decrypt']],
    ['write', ['kms:Decrypt', 'kms:GenerateDataKey*']],
  ] as const)('may be used to %s what is in S3, through S3 alone', (access, Action) => {
    expect(statementsOf([TABLE], access, { hasKms: true }).at(-1)).toEqual({
      Effect: 'Allow',
      Action,
      Resource: '*',
      Condition: { StringLike: { 'kms:ViaService': ['s3.*.amazonaws.com'] } },
    });
  });

  test('have S3’s name in China there', () => {
    const text = textOf([TABLE], 'read', { hasKms: true, partition: 'aws-cn' });
    expect(text).toContain('"kms:ViaService":["s3.*.amazonaws.com","s3.*.amazonaws.com.cn"]');
  });

  test('are not spoken of elsewhere', () => {
    expect(textOf([TABLE], 'write')).not.toContain('kms');
  });
});

describe('what STS takes', () => {
  test.each([
    [1, true],
    [2, false],
    [3, false],
    [4, false],
  ])('%i locations of 400 characters fit, all of them, and never reach further', (count, mayList) => {
    const locations = longOnes(count, 400);
    const policy = createSessionPolicy(locations, 'write', { hasKms: true });
    expect(policy?.mayList).toBe(mayList);
    expect(policy?.text.length).toBeLessThanOrEqual(2048);
    const [use, ...others] = statementsOf(locations, 'write', { hasKms: true });
    expect(use.Resource).toEqual(locations.map((one) => `arn:aws:s3:::${one.slice('s3://'.length)}/*`));
    const lists = others.filter(({ Action }: { Action: string[] }) => Action.includes('s3:ListBucket'));
    expect(lists).toHaveLength(mayList ? 1 : 0);
    for (const list of lists) expect(list.Condition.StringLike['s3:prefix']).toEqual([`${locations[0]?.slice(10)}/*`]);
    expect(others.at(-1).Action).toContain('kms:Decrypt');
  });

  test('a session may list until the last character that there is room for', () => {
    const fits = (characters: number) => createSessionPolicy(longOnes(1, characters), 'write', { hasKms: true });
    const mayList = Array.from({ length: 1_900 }, (_, index) => fits(index + 20)?.mayList);
    expect([...new Set(mayList)]).toEqual([true, false, undefined]);
  });

  test('there is none for locations that are longer', () => {
    expect(createSessionPolicy(longOnes(5, 400), 'write')).toBeNull();
    expect(createSessionPolicy([`s3://lake/${'*'.repeat(600)}`], 'read')).toBeNull();
  });

  test('is ASCII, whatever a location is called', () => {
    const text = textOf(['s3://lake/wh/größe/表']);
    expect(text).toMatch(/^[ -~]+$/);
    expect(JSON.parse(text).Statement[0].Resource).toEqual(['arn:aws:s3:::lake/wh/größe/表/*']);
  });
});
