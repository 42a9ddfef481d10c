import { PangolinError } from '@pangolin/shared/cli';
import { quoteSql } from './quoting.ts';
import { catalogOf, catalogUri, type Snippet, type SnippetRequest, tokenEndpoint } from './snippet.ts';
import type { TableName } from './table-name.ts';

/**
 * SQL for DuckDB's command line: `getenv` exists there alone.
 * Throws `invalid_argument` for a namespace with a dot in its name.
 */
export function writeDuckdb(request: SnippetRequest): Snippet {
  const { origin, auth, table } = request;
  const secret =
    auth === 'token'
      ? ["TOKEN getenv('PANGOLIN_TOKEN')"]
      : [
          "CLIENT_ID getenv('PANGOLIN_CLIENT_ID')",
          "CLIENT_SECRET getenv('PANGOLIN_CLIENT_SECRET')",
          `OAUTH2_SERVER_URI '${tokenEndpoint(request)}'`,
          "OAUTH2_SCOPE 'catalog'",
        ];
  return {
    needs: "DuckDB's command line, 1.4 or newer (its libraries have no getenv)",
    setup: ['pip install duckdb-cli'],
    code: `INSTALL httpfs;
INSTALL iceberg;
LOAD httpfs;
LOAD iceberg;

CREATE OR REPLACE SECRET pangolin (
    ${['TYPE iceberg', ...secret].join(',\n    ')}
);
ATTACH '${catalogOf(request)}' AS pangolin (
    TYPE iceberg,
    ENDPOINT '${origin}',
    SECRET pangolin
);

${table ? `SELECT * FROM ${dottedName('DuckDB', table)} LIMIT 10;` : LIST_WITH_DUCKDB}
`,
  };
}

const LIST_WITH_DUCKDB = `SELECT schema_name FROM duckdb_schemas() WHERE database_name = 'pangolin';
SELECT schema, name FROM (SHOW ALL TABLES) WHERE database = 'pangolin';`;

/**
 * Trino's properties file of the catalog, with the queries as remarks.
 * Throws `invalid_argument` for a namespace with a dot in its name.
 */
export function writeTrino(request: SnippetRequest): Snippet {
  const { auth, table } = request;
  const properties = [
    'connector.name=iceberg',
    'iceberg.catalog.type=rest',
    `iceberg.rest-catalog.uri=${catalogUri(request)}`,
    'iceberg.rest-catalog.nested-namespace-enabled=true',
    ...(hasCapitals(table) ? ['iceberg.rest-catalog.case-insensitive-name-matching=true'] : []),
    'iceberg.rest-catalog.security=OAUTH2',
    ...(auth === 'token'
      ? [`iceberg.rest-catalog.oauth2.token=${variable('PANGOLIN_TOKEN')}`]
      : [
          `iceberg.rest-catalog.oauth2.credential=${variable('PANGOLIN_CLIENT_ID')}:${variable('PANGOLIN_CLIENT_SECRET')}`,
          `iceberg.rest-catalog.oauth2.server-uri=${tokenEndpoint(request)}`,
          'iceberg.rest-catalog.oauth2.scope=catalog',
        ]),
    'iceberg.rest-catalog.vended-credentials-enabled=true',
    '# Up to Trino 480 this is fs.native-s3.enabled. Where the warehouse needs them, add s3.region and s3.endpoint.',
    'fs.s3.enabled=true',
  ];
  const queries = table
    ? [`SELECT * FROM ${dottedName('Trino', table)} LIMIT 10`]
    : ['SHOW SCHEMAS FROM pangolin', 'SELECT table_schema, table_name FROM pangolin.information_schema.tables'];
  return {
    needs: 'to be etc/catalog/pangolin.properties on every Trino node, and the variables where Trino is started',
    setup: [],
    code: `${properties.join('\n')}
# Then ask Trino:
${queries.map((query) => `#   ${query};\n`).join('')}`,
  };
}

/** A variable of its environment, as Trino writes it. */
const variable = (name: string): string => `\${ENV:${name}}`;

// Trino asks for names in lower case.
const hasCapitals = (table: TableName | null): boolean =>
  table !== null && [...table.namespace, table.name].some((one) => one !== one.toLowerCase());

/** The table in an engine that writes the levels of a namespace as one name, with dots between them. */
function dottedName(engine: string, { namespace, name }: TableName): string {
  const dotted = namespace.find((level) => level.includes('.'));
  if (dotted === undefined) return ['pangolin', quoteSql(namespace.join('.')), quoteSql(name)].join('.');
  throw new PangolinError('invalid_argument', `${engine} cannot name the namespace ${JSON.stringify(dotted)}.`, {
    hint: 'It takes dots for the levels of a namespace. These can: --language pyiceberg, pyspark, dremio, curl.',
  });
}
