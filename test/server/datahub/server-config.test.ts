import { expect, test } from 'vitest';
import { openTestServer } from '../harness.ts';

test('anybody learns what DataHub’s clients want to know first, and nothing that a credential could add', async () => {
  const server = await openTestServer();
  for (const path of ['/config', '/api/gms/config']) {
    const { status, headers, json } = await server.nobody.send('GET', path);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(json).toEqual({
      noCode: 'true',
      versions: {
        'acryldata/datahub': { version: '0.0.0', commit: `pangolin-${server.deps.version}` },
        pangolin: { version: server.deps.version },
      },
      datahub: { serverType: 'pangolin', serverEnv: 'core' },
      patchCapable: false,
      statefulIngestionCapable: false,
      supportsImpactAnalysis: false,
      managedIngestion: { enabled: false },
      telemetry: { enabledCli: false, enabledIngestion: false },
    });
    expect((await server.bearer('pgl_wrong').send('GET', path)).json).toEqual(json);
    expect((await server.nobody.send('HEAD', path)).status).toBe(200);
    const posted = await server.nobody.send('POST', path);
    expect({ status: posted.status, allow: posted.headers.get('allow') }).toEqual({ status: 405, allow: 'GET, HEAD' });
  }
});
