import { join } from 'node:path';
import { describePython } from './python.ts';

describePython('create-catalog --with-sample-data', 'sample.py', async ({ box, server, token }) => {
  const { stderr, code } = await box.admin(['create-catalog', 'demo', '--with-sample-data']);
  if (code !== 0) throw new Error(`create-catalog ended with ${code}: ${stderr}`);
  return {
    properties: { type: 'rest', uri: `${server.origin}/v1/demo`, token },
    warehouse: join(box.dataDir, 'warehouse', 'demo'),
  };
});
