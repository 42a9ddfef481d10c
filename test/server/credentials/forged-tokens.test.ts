import { createHmac, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { mint, openTestServer, START_MS, standingOf, type TestServer } from '../harness.ts';
import { insertSecondTenant, signTheirToken } from '../second-tenant.ts';

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const START_S = START_MS / 1000;

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString());

/** A server that counts signature verifications (each asks for its key once) and database reads. */
async function openCounting() {
  const server = await openTestServer();
  const { token, id } = await mint(server, server.owner, { roles: ['tenant-admin'] });
  const [header = '', payload = '', signature = ''] = token.split('.');
  const work = { verifications: 0, reads: 0 };
  const { signingKeys, credentials } = server.deps;
  server.deps.signingKeys = {
    ...signingKeys,
    findVerificationKey: (kid) => {
      work.verifications += 1;
      return signingKeys.findVerificationKey(kid);
    },
  };
  server.deps.credentials = {
    findTokenState: (jti) => {
      work.reads += 1;
      return credentials.findTokenState(jti);
    },
    findApiKeyState: (keyId) => {
      work.reads += 1;
      return credentials.findApiKeyState(keyId);
    },
  };
  return { server, work, token, id, header, payload, signature, claims: decode(payload) };
}

/** Signs claims with the installation's own key, as only it can. */
const signOurs = async (server: TestServer, claims: object) => (await server.deps.signingKeys.sign({ ...claims })).jws;

describe('a token that was tampered with', () => {
  test('is 401 with a stable code, before any signature is verified or row read', async () => {
    const { server, work, token, header, payload, signature } = await openCounting();
    const last = BASE64URL.indexOf(signature.at(-1) ?? '');
    const samePadding = BASE64URL[last ^ 1] ?? '';
    const cases: [string, string, string][] = [
      ['truncated in its signature', token.slice(0, -1), 'credential_malformed'],
      ['without its signature', `${header}.${payload}.`, 'credential_malformed'],
      ['of two parts', `${header}.${payload}`, 'credential_malformed'],
      ['of four parts', `${token}.${signature}`, 'credential_malformed'],
      [
        'with other padding bits',
        `${header}.${payload}.${signature.slice(0, -1)}${samePadding}`,
        'credential_malformed',
      ],
      ['with padding', `${token}=`, 'credential_malformed'],
      ['in base64 instead of base64url', `${header}.${payload}.${signature.slice(0, -2)}+/`, 'credential_malformed'],
      [
        'with a space inside',
        `${header}.${payload.slice(0, 8)} ${payload.slice(8)}.${signature}`,
        'credential_malformed',
      ],
      [
        'that is no JSON',
        `${Buffer.from('{"alg').toString('base64url')}.${payload}.${signature}`,
        'credential_malformed',
      ],
      ['with alg none', `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.${signature}`, 'token_signature_invalid'],
      [
        'with alg HS256',
        `${encode({ ...decode(header), alg: 'HS256' })}.${payload}.${signature}`,
        'token_signature_invalid',
      ],
      [
        'of another type',
        `${encode({ ...decode(header), typ: 'JWT' })}.${payload}.${signature}`,
        'token_signature_invalid',
      ],
      [
        'without a kid',
        `${encode({ alg: 'ES256', typ: 'at+jwt' })}.${payload}.${signature}`,
        'token_signature_invalid',
      ],
      ['longer than 4096 characters', `eyJ${'A'.repeat(4096)}`, 'credential_malformed'],
      ['that is no token', 'hunter2', 'credential_malformed'],
    ];
    for (const [what, forged, code] of cases) {
      const { status, headers, json } = await server.bearer(forged).ask(usersApi.me);
      expect({ what, status, code: (json as { code: string }).code }).toEqual({ what, status: 401, code });
      expect(headers.get('www-authenticate')).toBe(
        `Bearer realm="pangolin", error="invalid_token", error_description="${code}"`,
      );
    }
    expect(work).toEqual({ verifications: 0, reads: 0 });
    expect(await standingOf(server.bearer(token))).toBe('ok');
  });

  test('in its claims or signature costs one verification and no read', async () => {
    const { server, work, header, payload, signature, claims } = await openCounting();
    const flipped = Buffer.from(signature, 'base64url');
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    for (const forged of [
      `${header}.${payload}.${flipped.toString('base64url')}`,
      `${header}.${encode({ ...claims, role: 'root' })}.${signature}`,
      `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
      `${header}.${payload}.${Buffer.alloc(32).toString('base64url')}`,
    ]) {
      work.verifications = 0;
      expect(await standingOf(server.bearer(forged))).toBe('token_signature_invalid');
      expect(work.verifications).toBeLessThanOrEqual(1);
      expect(work.reads).toBe(0);
    }
  });

  test('and signed anew with a key of the attacker is refused, whatever the algorithm', async () => {
    const { server, work, header, payload } = await openCounting();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const bytes = Buffer.from(`${header}.${payload}`);
    const resigned = signBytes('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    expect(await standingOf(server.bearer(`${header}.${payload}.${resigned}`))).toBe('token_signature_invalid');
    const jwks = (await server.nobody.send('GET', '/.well-known/jwks.json')).text;
    const confused = encode({ ...decode(header), alg: 'HS256' });
    const mac = createHmac('sha256', jwks).update(`${confused}.${payload}`).digest('base64url');
    expect(await standingOf(server.bearer(`${confused}.${payload}.${mac}`))).toBe('token_signature_invalid');
    expect(work.reads).toBe(0);
  });

  test('with an unknown kid asks the database for keys at most once a second', async () => {
    const { server, header, payload, signature } = await openCounting();
    let reads = 0;
    const select = server.deps.db.read.selectFrom.bind(server.deps.db.read);
    server.deps.db.read.selectFrom = ((from: never) => {
      reads += 1;
      return select(from);
    }) as typeof select;
    for (let i = 0; i < 20; i += 1) {
      const kid = encode({ ...decode(header), kid: `unknown-${i}` });
      expect(await standingOf(server.bearer(`${kid}.${payload}.${signature}`))).toBe('token_signature_invalid');
    }
    expect(reads).toBeLessThanOrEqual(1);
  });
});

describe('a token whose signature is good', () => {
  test('is refused when it was issued by or for another installation', async () => {
    const { server, work, claims } = await openCounting();
    const stranger = 'urn:pangolin:00000000-0000-7000-8000-000000000000';
    expect(await standingOf(server.bearer(await signOurs(server, { ...claims, iss: stranger })))).toBe(
      'token_wrong_issuer',
    );
    expect(work.verifications).toBe(0);
    expect(await standingOf(server.bearer(await signOurs(server, { ...claims, aud: stranger })))).toBe(
      'token_wrong_issuer',
    );
    expect(work).toEqual({ verifications: 1, reads: 0 });
  });

  test('of another installation is refused, though everything about it is right there', async () => {
    const here = await openTestServer();
    const there = await openTestServer();
    const { token } = await mint(there, there.owner);
    expect(await standingOf(here.bearer(token))).toBe('token_wrong_issuer');
  });

  test('is refused when it is dated more than a minute into the future', async () => {
    const { server, claims } = await openCounting();
    for (const future of [{ iat: START_S + 61 }, { nbf: START_S + 61 }]) {
      expect(await standingOf(server.bearer(await signOurs(server, { ...claims, ...future })))).toBe(
        'token_not_yet_valid',
      );
    }
    for (const near of [{ iat: START_S + 60 }, { nbf: START_S + 60 }]) {
      expect(await standingOf(server.bearer(await signOurs(server, { ...claims, ...near })))).toBe('ok');
    }
  });

  test('is refused without one of its claims', async () => {
    const { server, claims } = await openCounting();
    for (const name of ['iss', 'aud', 'sub', 'jti', 'iat', 'nbf', 'exp', 'tenant_id']) {
      const { [name]: _, ...rest } = claims;
      const standing = await standingOf(server.bearer(await signOurs(server, rest)));
      const codes: Record<string, string> = {
        iss: 'token_wrong_issuer',
        aud: 'token_wrong_issuer',
      };
      expect({ name, standing }).toEqual({ name, standing: codes[name] ?? 'credential_malformed' });
    }
  });

  test('is refused when it names another tenant or another owner than its row', async () => {
    const { server, claims } = await openCounting();
    const other = await insertSecondTenant(server);
    for (const lie of [{ tenant_id: other.tenantId }, { sub: other.userId }]) {
      expect(await standingOf(server.bearer(await signOurs(server, { ...claims, ...lie })))).toBe('token_wrong_tenant');
    }
    expect(await standingOf(server.bearer(await signTheirToken(server, other)))).toBe('ok');
  });

  test('is refused when nobody issued it: without a row it is nothing', async () => {
    const { server, claims } = await openCounting();
    const jti = server.deps.newId();
    expect(await standingOf(server.bearer(await signOurs(server, { ...claims, jti })))).toBe('token_unknown');
  });

  test('is believed in nothing that its row says otherwise', async () => {
    const { server, claims } = await openCounting();
    const boast = await signOurs(server, { ...claims, role: 'root', scope: '', exp: START_S + 400 * 86_400 });
    const me = await server.bearer(boast).call(usersApi.me);
    expect(me.role).toBe('tenant-admin');
    expect(me.credential.expires_at).toBe('2027-02-20T12:00:00Z');
  });
});
