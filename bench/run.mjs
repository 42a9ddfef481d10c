// Prints the speed table of this checkout, from one run. Build first: npm run build
// With names of parts, those alone: npm run bench -- iceberg
import { measureAudit } from './audit.mjs';
import { measureCredentials } from './credentials.mjs';
import { measureGraphQL } from './graphql.mjs';
import { measureIceberg } from './iceberg.mjs';
import { measurePostgres } from './postgres.mjs';
import { createReport } from './report.mjs';
import { measureScale } from './scale.mjs';

const PARTS = {
  credentials: measureCredentials,
  graphql: measureGraphQL,
  iceberg: measureIceberg,
  postgres: measurePostgres,
  scale: measureScale,
  audit: measureAudit,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in PARTS));
if (unknown.length > 0)
  throw new Error(`No such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
const { report, format } = createReport();
for (const [name, measure] of Object.entries(PARTS)) {
  if (asked.length === 0 || asked.includes(name)) await measure(report);
}
console.log(format());
