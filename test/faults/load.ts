import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type Outcome } from './ask.ts';
import { createByGraphQL, listByGraphQL, revokeByGraphQL } from './graphql-operations.ts';
import { anyOf, end, type Operation, pick, pickToEnd, type Targets, wasDone } from './operation.ts';
import { type Promises, type Shown, standingOf } from './promises.ts';

const WORKERS = 6;

/** Mints, exchanges, rotates, revokes and uses credentials at random on random servers until it is stopped. */
export function startLoad(targets: Targets, promises: Promises): { stop(): Promise<void> } {
  let isOver = false;
  const operations = [
    ...[mint, revoke, rotateToken, createServiceUser, rotateKey, exchange],
    ...[createByGraphQL, listByGraphQL, revokeByGraphQL],
    ...[use, use, use, use],
  ];
  const workers = Array.from({ length: WORKERS }, async () => {
    while (!isOver) {
      const operation = pick(operations) ?? mint;
      if (!(await operation(targets, promises))) await sleep(20);
    }
  });
  return {
    async stop() {
      isOver = true;
      await Promise.all(workers);
    },
  };
}

const mint: Operation = async (targets, promises) => {
  const outcome = await ask(anyOf(targets), '/api/v1/tokens', targets.admin, { json: { expires_in_hours: 1 } });
  if (!wasDone(promises, outcome, 200, 'minting')) return false;
  promises.show({ id: String(outcome.json.id), secret: String(outcome.json.token), kind: 'token' });
  return true;
};

const createServiceUser: Operation = async (targets, promises) => {
  const name = `load-${crypto.randomUUID()}`;
  const outcome = await ask(anyOf(targets), '/api/v1/service-users', targets.admin, { json: { name } });
  if (!wasDone(promises, outcome, 201, 'creating a service user')) return false;
  const { id, key_id, api_key } = outcome.json;
  promises.show({ id: String(key_id), secret: String(api_key), kind: 'key', serviceUserId: String(id) });
  return true;
};

const exchange: Operation = async (targets, promises) => {
  const key = pick(promises.all.filter((one) => one.kind === 'key' && one.standing === 'valid'));
  if (!key) return false;
  const form = { grant_type: 'client_credentials', client_secret: key.secret };
  const outcome = await ask(anyOf(targets), '/oauth2/token', null, { form });
  // It may have been rotated meanwhile.
  if (key.standing !== 'valid' || !wasDone(promises, outcome, 200, 'an exchange')) return false;
  const secret = String(outcome.json.access_token);
  promises.show({ id: `access token of ${key.id}`, secret, kind: 'token', parent: key });
  return true;
};

const revoke: Operation = async (targets, promises) => {
  const token = pickToEnd(promises, 'token');
  if (!token) return false;
  const path = `/api/v1/tokens/revoke/${token.id}`;
  const outcome = await ask(anyOf(targets), path, targets.admin, { method: 'POST' });
  if (!wasDone(promises, outcome, 200, 'a revocation')) return false;
  end(token);
  return true;
};

const rotateToken: Operation = async (targets, promises) => {
  const token = pickToEnd(promises, 'token');
  if (!token) return false;
  const outcome = await ask(anyOf(targets), '/api/v1/tokens/rotate', token.secret, { method: 'POST' });
  if (!wasDone(promises, outcome, 200, 'a rotation')) return false;
  end(token);
  promises.show({ id: String(outcome.json.id), secret: String(outcome.json.token), kind: 'token' });
  return true;
};

const rotateKey: Operation = async (targets, promises) => {
  const key = pickToEnd(promises, 'key');
  if (key?.serviceUserId === undefined) return false;
  const path = `/api/v1/service-users/${key.serviceUserId}/rotate`;
  const outcome = await ask(anyOf(targets), path, targets.admin, { json: { expected_key_id: key.id } });
  if (!wasDone(promises, outcome, 200, 'a rotation of a key')) return false;
  end(key);
  const { key_id, api_key } = outcome.json;
  promises.show({ id: String(key_id), secret: String(api_key), kind: 'key', serviceUserId: key.serviceUserId });
  return true;
};

/** Presents a credential: a valid one is never refused, an ended one never let in, whatever else fails. */
const use: Operation = async (targets, promises) => {
  const shown = pick(promises.all);
  if (!shown) return false;
  const before = standingOf(shown);
  const askedAtMs = performance.now();
  const outcome = await ask(anyOf(targets), '/api/v1/users/me', shown.secret);
  if (!outcome || outcome.status === 503) {
    promises.counts.unavailable += 1;
    return false;
  }
  promises.counts.checks += 1;
  const isAlive = before.standing === 'valid' && standingOf(shown).standing === 'valid';
  if (isAlive && outcome.status !== 200) broke(promises, shown, outcome, 'was refused');
  const isDead = before.standing === 'ended' && askedAtMs - before.endedAtMs > targets.freshnessMs;
  if (isDead && !isRefusal(outcome)) broke(promises, shown, outcome, 'was let in');
  return true;
};

/** Presents credentials to every server, once all of them answer again. */
export async function checkAll(targets: Targets, promises: Promises, shown: readonly Shown[]): Promise<void> {
  await sleep(targets.freshnessMs);
  const left = [...shown];
  const check = async (shown: Shown) => {
    const seen = new Set<boolean>();
    for (const origin of targets.origins()) {
      const outcome = await ask(origin, '/api/v1/users/me', shown.secret);
      promises.counts.checks += 1;
      const { standing } = standingOf(shown);
      if (standing === 'valid' && outcome?.status !== 200) broke(promises, shown, outcome, 'was refused afterwards');
      if (standing === 'ended' && !isRefusal(outcome)) broke(promises, shown, outcome, 'was let in afterwards');
      seen.add(isRefusal(outcome));
    }
    if (seen.size > 1) promises.broken.push(`${shown.kind} ${shown.id} is let in by one server and refused by another`);
  };
  const worker = async () => {
    for (let shown = left.pop(); shown; shown = left.pop()) await check(shown);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

const isRefusal = (outcome: Outcome): boolean => outcome?.status === 401;

function broke(promises: Promises, shown: Shown, outcome: Outcome, what: string): void {
  promises.broken.push(
    `${shown.kind} ${shown.id} (${shown.standing}) ${what}: ${JSON.stringify(outcome).slice(0, 300)}`,
  );
}
