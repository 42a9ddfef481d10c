#!/usr/bin/env node
try {
  await import('../dist/main.js');
} catch (error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !/dist.main\.js/.test(error.message)) throw error;
  process.stderr.write('pangolin-user is not built yet. Run: npm ci (or npm run build)\n');
  process.exitCode = 70;
}
