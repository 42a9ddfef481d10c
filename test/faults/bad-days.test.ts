import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from './ask.ts';
import { startBalancer } from './balancer.ts';
import { type Engine, openPostgresEngine, openSqliteEngine } from './engines.ts';
import { checkAll, startLoad } from './load.ts';
import type { Targets } from './operation.ts';
import { createPromises, type Promises } from './promises.ts';
import { type Replicas, startReplicas } from './replicas.ts';

const BEFORE_MS = 1_500;
const DURING_MS = 7_000;
const AFTER_MS = 1_500;
const KILLING_MS = 15_000;
const OLDER = 300;

const ENGINES = { SQLite: openSqliteEngine, PostgreSQL: openPostgresEngine };
const FAULTS = {
  SQLite: ['is locked by somebody for longer than anybody waits', 'is moved away', 'is full'],
  PostgreSQL: ['is gone', 'is slow', 'is killed and started again', 'takes no changes', 'is full'],
};

describe.each(['SQLite', 'PostgreSQL'] as const)('two servers on one %s', (name) => {
  let engine: Engine;
  let replicas: Replicas;
  let targets: Targets;
  let promises: Promises;

  beforeAll(async () => {
    engine = await ENGINES[name]();
    // On an empty database, both at once: one founds the installation.
    replicas = await startReplicas(engine);
    const admin = await logIn(engine, replicas);
    const adminUrn = await urnOf(replicas.origins()[0] ?? '', admin);
    targets = { origins: replicas.origins, admin, adminUrn, freshnessMs: engine.freshnessMs };
    promises = createPromises();
  });

  afterAll(async () => {
    await replicas?.stop();
    await engine?.close();
    const { operations, checks, unavailable } = promises?.counts ?? createPromises().counts;
    process.stdout.write(
      `${name}: ${operations} operations and ${checks} uses checked, ${unavailable} times unavailable\n`,
    );
  });

  /** Breaks something under load, mends it, and holds every server to all it ever promised. */
  async function during(fault: () => Promise<() => Promise<unknown>>, duringMs = DURING_MS): Promise<void> {
    const before = promises.all.length;
    const load = startLoad(targets, promises);
    await sleep(BEFORE_MS);
    const mend = await fault();
    await sleep(duringMs);
    await mend();
    await replicas.ready();
    await sleep(AFTER_MS);
    await load.stop();
    const known = promises.counts.operations;
    // Those of this fault and some of every other; the last test asks for all of them.
    const older = promises.all.slice(0, before).filter(() => Math.random() < OLDER / before);
    await checkAll(targets, promises, [...older, ...promises.all.slice(before)]);
    expect(promises.broken.splice(0).slice(0, 10), replicas.failures()).toEqual([]);
    expect(known).toBeGreaterThan(0);
  }

  test('started on an empty database at once, they are one installation', async () => {
    const keys = await Promise.all(replicas.origins().map((origin) => ask(origin, '/.well-known/jwks.json', null)));
    expect(keys[0]?.status).toBe(200);
    expect(keys[1]).toEqual(keys[0]);
  });

  test('lose nothing under load when nothing is wrong', () => during(async () => async () => {}));

  test('servers behind a balancer, of which one is killed every other second', async () => {
    const balancer = await startBalancer(replicas.origins);
    const { origins } = targets;
    targets.origins = () => [balancer.origin];
    let isOver = false;
    const killing = async () => {
      for (let turn = 0; !isOver; turn += 1) {
        await replicas.kill(turn % 2);
        await sleep(200);
        await replicas.start(turn % 2);
        await sleep(1_000);
      }
    };
    await during(async () => {
      const killed = killing();
      return async () => {
        isOver = true;
        await killed;
        targets.origins = origins;
      };
    }, KILLING_MS);
    await balancer.close();
  });

  test.each(FAULTS[name])('the database %s', async (what) => {
    await during(async () => engine.faults[what]?.() ?? Promise.reject(new Error(`there is no fault ${what}`)));
  });

  test.each(FAULTS[name])('the database %s, and a server is killed meanwhile', async (what) => {
    await during(async () => {
      const mend = await engine.faults[what]?.();
      await sleep(1_000);
      await replicas.kill(1);
      return async () => {
        await mend?.();
        await replicas.start(1);
      };
    });
  });

  test('a server that was frozen lets nobody in whom another ended meanwhile', async () => {
    await during(async () => {
      const frozen = replicas.servers[1];
      if (!frozen) throw new Error('there is no second server');
      process.kill(frozen.pid, 'SIGSTOP');
      const { origins } = targets;
      targets.origins = () => origins().slice(0, 1);
      return async () => {
        process.kill(frozen.pid, 'SIGCONT');
        const ended = promises.all.filter(({ standing }) => standing === 'ended').slice(-50);
        const answers = await Promise.all(ended.map(({ secret }) => ask(frozen.origin, '/api/v1/users/me', secret)));
        expect(answers.filter((answer) => answer?.status === 200)).toEqual([]);
        targets.origins = origins;
      };
    });
  });

  test.each(['+5m', '-5m'])('a server whose clock is off by %s', async (offset) => {
    if (name === 'SQLite') return clockOfTheMachine(offset);
    await during(async () => {
      await replicas.kill(1);
      await replicas.start(1, atOffset(offset));
      return async () => {
        await replicas.kill(1);
        await replicas.start(1);
      };
    });
  });

  test('after all of that, every credential ever shown is what it was said to be', async () => {
    await checkAll(targets, promises, promises.all);
    expect(promises.broken.slice(0, 10), replicas.failures()).toEqual([]);
    expect(promises.all.length).toBeGreaterThan(500);
  });

  /** Processes on one data directory have one clock, that of their machine: it is wrong for both. */
  async function clockOfTheMachine(offset: string): Promise<void> {
    await replicas.stop();
    await Promise.all([0, 1].map((index) => replicas.start(index, atOffset(offset))));
    const ended = promises.all.filter(({ standing }) => standing === 'ended').slice(-100);
    const answers = await Promise.all(
      ended.flatMap(({ secret }) => replicas.origins().map((origin) => ask(origin, '/api/v1/users/me', secret))),
    );
    expect(answers.filter((answer) => answer?.status === 200)).toEqual([]);
    promises.counts.checks += answers.length;
    await replicas.stop();
    await Promise.all([0, 1].map((index) => replicas.start(index)));
    await during(async () => async () => {});
  }
});

/** What makes a process believe in another time. (The command `faketime` would stand between us and the process.) */
function atOffset(offset: string): string[] {
  const folders = readdirSync('/usr/lib').map((folder) => `/usr/lib/${folder}/faketime/libfaketime.so.1`);
  const library = folders.find((path) => existsSync(path));
  if (library === undefined) throw new Error('faketime is not installed: apt-get install faketime');
  return ['env', `LD_PRELOAD=${library}`, `FAKETIME=${offset}`];
}

/** A root token: on SQLite from the data directory; on PostgreSQL from the user that is set up in the environment. */
async function logIn({ box, env }: Engine, replicas: Replicas): Promise<string> {
  const { stdout, stderr, code } = await box.user(['get-token', '--role', 'root', '--expires-in', '2'], { env });
  if (code !== 0) throw new Error(`${stderr} ${replicas.origins().join(' ')}`);
  return stdout.trim();
}

async function urnOf(origin: string, secret: string): Promise<string> {
  const outcome = await ask(origin, '/api/graphql', secret, { json: { query: '{ me { corpUser { urn } } }' } });
  const { data } = (outcome?.json ?? {}) as { data?: { me: { corpUser: { urn: string } } } };
  if (!data) throw new Error(`nobody is logged in: ${JSON.stringify(outcome)}`);
  return data.me.corpUser.urn;
}
