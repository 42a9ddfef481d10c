import { PangolinError } from '@pangolin/shared/errors';
import type { CorpUser } from './entities.ts';

/** DataHub's aspects of a user that there are here: their names, the classes they are, and where their content is. */
const ASPECTS = {
  corpUserKey: { type: 'com.linkedin.metadata.key.CorpUserKey', of: ({ key }: CorpUser) => key },
  corpUserInfo: { type: 'com.linkedin.identity.CorpUserInfo', of: ({ info }: CorpUser) => info },
};

/** What `GET /entities/<urn>` answers: a snapshot. */
export const presentSnapshot = (user: CorpUser) => ({
  value: {
    'com.linkedin.metadata.snapshot.CorpUserSnapshot': {
      urn: user.urn,
      aspects: Object.values(ASPECTS).map(({ type, of }) => ({ [type]: of(user) })),
    },
  },
});

/**
 * What `GET /entitiesV2/<urn>` answers: aspects by name, all of them or those in `List(a,b)`. Of who is not there that is the
 * key alone, by which DataHub's command line tells. Throws `invalid_request`.
 */
export function presentAspects(user: CorpUser, list: string | null) {
  const names = list === null ? null : /^List\(([\w,]{0,1000})\)$/.exec(list)?.[1]?.split(',');
  if (names === undefined)
    throw new PangolinError('invalid_request', 'The parameter aspects must be a list such as List(corpUserInfo).');
  const aspects = Object.entries(ASPECTS)
    .filter(([name]) => names === null || names.includes(name))
    .map(([name, { of }]) => [name, { name, type: 'VERSIONED', version: 0, value: of(user) }] as const)
    .filter(([, { value }]) => value !== null);
  return { entityName: 'corpuser', urn: user.urn, aspects: Object.fromEntries(aspects) };
}

/** What `GET /aspects/<urn>?aspect=<name>&version=0` answers: one aspect as it is now. Throws `not_found`, `invalid_request`. */
export function presentAspect(user: CorpUser, name: string | null, version: string | null) {
  if (name === null) throw new PangolinError('invalid_request', 'The parameter aspect is missing.');
  if (version !== null && version !== '0')
    throw new PangolinError('not_found', 'There is no earlier version: this server keeps what is now, version 0.');
  if (name !== 'corpUserKey' && name !== 'corpUserInfo')
    throw new PangolinError('not_found', `There is no such aspect. There are: ${Object.keys(ASPECTS).join(', ')}.`);
  const { type, of } = ASPECTS[name];
  return { version: 0, aspect: { [type]: of(user) } };
}
