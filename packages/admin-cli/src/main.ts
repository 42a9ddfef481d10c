import { version } from '../package.json';

const [first, ...rest] = process.argv.slice(2);

// The version alone needs none of the program.
if (rest.length === 0 && (first === '--version' || first === '-V')) {
  process.stdout.write(`${version}\n`);
} else {
  const { run } = await import('./program.ts');
  await run(version);
}
