import { spawn } from 'node:child_process';
import { hash, randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import canonicalize from 'canonicalize';
import { ADMIN_CLI, createHome, environment, median, mintToken, startPangolin } from './processes.mjs';
import { perSecond } from './report.mjs';

const EVENTS = 1_000_000;
const ROUNDS = 3;
const PROBE_MS = 5;
const IDLE_MS = 10_000;

/** How fast the audit log is verified, where it is and as a file, and what others wait meanwhile. */
export async function measureAudit(report) {
  const home = createHome();
  const admin = mintToken(home, 'root');
  process.stderr.write('filling…\n');
  fill(join(home, 'data', 'pangolin.db'));
  const { port, stop } = await startPangolin(home);
  const origin = `http://127.0.0.1:${port}`;

  const walks = [];
  const waits = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const probe = startProbe(origin);
    walks.push(await walk(origin, admin));
    waits.push(await probe.stop());
  }
  report(
    `audit: verified by the server, ${EVENTS.toLocaleString('en')} events`,
    perSecond(median(walks)),
    '≥ 100,000/s',
  );
  const idle = startProbe(origin);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  report(
    'audit: longest another request waited meanwhile',
    `${median(waits).toFixed(0)} ms (${(await idle.stop()).toFixed(0)} ms where nobody verifies)`,
    '',
    '≤ 20 ms',
  );

  const file = join(home, 'audit.jsonl');
  const jwks = join(home, 'jwks.json');
  writeFileSync(jwks, await (await fetch(`${origin}/.well-known/jwks.json`)).text());
  const env = environment(home, { PANGOLIN_URL: origin, PANGOLIN_TOKEN: admin });
  const exported = await run(['export-audit', '--format', 'jsonl'], env, file);
  await stop();
  report('audit: exported over HTTP', perSecond(EVENTS / exported.seconds));
  report(
    'audit: largest memory of export-audit',
    `${exported.peakMiB.toFixed(0)} MiB for ${(statSync(file).size / 2 ** 20).toFixed(0)} MiB`,
  );

  const verified = [];
  for (let round = 0; round < ROUNDS; round += 1)
    verified.push(await run(['verify-audit', '--file', file, '--jwks', jwks], environment(home), null));
  report(
    'audit: verified as a file, the whole command',
    perSecond(EVENTS / median(verified.map(({ seconds }) => seconds))),
    '≥ 100,000/s',
  );
  report(
    'audit: largest memory of verify-audit --file',
    `${Math.max(...verified.map((one) => one.peakMiB)).toFixed(0)} MiB`,
  );
}

/** Goes on with the chain of the tenant, with events such as minting tokens leaves. */
function fill(path) {
  const db = new DatabaseSync(path);
  db.exec('pragma synchronous = off; begin');
  const last = db.prepare("select * from audit_events where action = 'token.created' limit 1").get();
  const names = Object.keys(last);
  const insert = db.prepare(
    `insert into audit_events (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`,
  );
  let previous = db.prepare('select seq, hash from audit_chains where chain = ?').get(last.chain);
  for (let seq = previous.seq + 1; seq <= EVENTS; seq += 1) {
    const id = randomUUID();
    const time = last.time + seq;
    const details = {
      name: `token ${seq}`,
      kind: 'personal',
      expires_at: formatTime(time + 90 * 86_400_000),
      scopes: [],
    };
    const row = {
      ...last,
      id,
      seq,
      time,
      resource_id: randomUUID(),
      request_id: randomUUID(),
      details: canonicalize(details),
      previous_hash: previous.hash,
    };
    const { hash: _, ...fields } = { ...row, time: formatTime(time), details };
    row.hash = hash('sha256', canonicalize(fields));
    insert.run(...names.map((name) => row[name]));
    previous = row;
  }
  db.prepare('update audit_chains set seq = ?, hash = ? where chain = ?').run(previous.seq, previous.hash, last.chain);
  db.exec('commit; pragma wal_checkpoint(truncate)');
  db.close();
}

const formatTime = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');

/** Verifies the whole chain by the server; events per second. */
async function walk(origin, admin) {
  const started = performance.now();
  let events = 0;
  for (let seq = 0, complete = false; !complete; ) {
    const answer = await fetch(`${origin}/api/v1/audit/verify?after_seq=${seq}`, {
      headers: { authorization: `Bearer ${admin}` },
    });
    const found = await answer.json();
    if (!found.valid) throw new Error(JSON.stringify(found));
    events += found.events;
    ({ seq, complete } = found);
  }
  return (events * 1000) / (performance.now() - started);
}

/** Asks for something small all the while; answers the longest wait, in milliseconds. */
function startProbe(origin) {
  let stopped = false;
  const longest = (async () => {
    let most = 0;
    while (!stopped) {
      const started = performance.now();
      await (await fetch(`${origin}/health`)).text();
      most = Math.max(most, performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
    }
    return most;
  })();
  return {
    stop() {
      stopped = true;
      return longest;
    },
  };
}

/** Runs a command to its end: how long it took, and the most memory it had. */
function run(argv, env, file) {
  const out = file === null ? 'ignore' : openSync(file, 'w');
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [ADMIN_CLI, ...argv], { env, stdio: ['ignore', out, 'inherit'] });
    let peakMiB = 0;
    const look = setInterval(() => {
      peakMiB = Math.max(peakMiB, readPeak(child.pid));
    }, 20);
    child.once('exit', (code) => {
      clearInterval(look);
      if (file !== null) closeSync(out);
      if (code === 0) resolve({ seconds: (performance.now() - started) / 1000, peakMiB });
      else reject(new Error(`${argv.join(' ')} ended with ${code}`));
    });
  });
}

/** In MiB; nothing where the system does not tell. */
function readPeak(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
