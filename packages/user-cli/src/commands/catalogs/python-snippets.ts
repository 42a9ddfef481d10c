import { PangolinError } from '@pangolin/shared/cli';
import { quotePython, quoteSpark } from './quoting.ts';
import { catalogOf, catalogUri, type Snippet, type SnippetRequest, tokenEndpoint } from './snippet.ts';
import type { TableName } from './table-name.ts';

const CREDENTIAL = `f"{os.environ['PANGOLIN_CLIENT_ID']}:{os.environ['PANGOLIN_CLIENT_SECRET']}"`;

/** Python that reads with PyIceberg. */
export const writePyiceberg = (request: SnippetRequest): Snippet => ({
  needs: 'Python 3.10 or newer',
  setup: ['pip install "pyiceberg[pyarrow]"'],
  code: `import os

from pyiceberg.catalog import load_catalog

catalog = load_catalog(
    ${quotePython(catalogOf(request))},
    **{
${pyicebergProperties(request)
  .map(([name, value]) => `        ${quotePython(name)}: ${value},\n`)
  .join('')}    },
)
${request.table ? loadWithPyiceberg(request.table) : LIST_WITH_PYICEBERG}`,
});

/** Names, and Python expressions for their values. */
const pyicebergProperties = (request: SnippetRequest): Array<[name: string, value: string]> => {
  const type: [string, string] = ['type', '"rest"'];
  if (request.auth === 'token') {
    return [type, ['uri', quotePython(catalogUri(request))], ['token', 'os.environ["PANGOLIN_TOKEN"]']];
  }
  return [
    type,
    ['uri', quotePython(`${catalogUri(request)}/`)],
    ['credential', CREDENTIAL],
    ['oauth2-server-uri', quotePython(tokenEndpoint(request))],
    ['scope', '"catalog"'],
  ];
};

function loadWithPyiceberg({ namespace, name }: TableName): string {
  const path = [...namespace, name];
  // A string is split at its dots.
  const identifier = path.some((one) => one.includes('.'))
    ? `(${path.map(quotePython).join(', ')})`
    : quotePython(path.join('.'));
  return `
table = catalog.load_table(${identifier})
print(table.schema())
print(table.scan(limit=10).to_arrow())
`;
}

const LIST_WITH_PYICEBERG = `

def show(parent=()):
    for namespace in catalog.list_namespaces(parent):
        print("namespace", namespace)
        for table in catalog.list_tables(namespace):
            print("table    ", table)
        show(namespace)


show()
`;

/** Python that reads with Spark; the jars it needs fit the version in \`setup\`. */
export const writePyspark = (request: SnippetRequest): Snippet => ({
  needs: 'Python 3.9 or newer and Java 17 or newer',
  setup: ['pip install "pyspark==4.0.*"'],
  code: `import os

from pyspark.sql import SparkSession

spark = (
    SparkSession.builder.appName("pangolin")
${sparkSettings(request)
  .map(([name, value]) => `    .config(${quotePython(name)}, ${value})\n`)
  .join('')}    .getOrCreate()
)
${request.table ? loadWithSpark(request.table) : LIST_WITH_SPARK}`,
});

const ICEBERG = '1.11.0';

const sparkSettings = (request: SnippetRequest): Array<[name: string, value: string]> => {
  const catalog = (name: string, value: string): [string, string] => [`spark.sql.catalog.pangolin${name}`, value];
  const jars = ['iceberg-spark-runtime-4.0_2.13', 'iceberg-aws-bundle'].map(
    (jar) => `org.apache.iceberg:${jar}:${ICEBERG}`,
  );
  const common: Array<[string, string]> = [
    ['spark.jars.packages', quotePython(jars.join(','))],
    ['spark.sql.extensions', '"org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"'],
    catalog('', '"org.apache.iceberg.spark.SparkCatalog"'),
    catalog('.type', '"rest"'),
    catalog('.uri', quotePython(catalogUri(request))),
    catalog('.header.X-Iceberg-Access-Delegation', '"vended-credentials"'),
  ];
  if (request.auth === 'token') return [...common, catalog('.token', 'os.environ["PANGOLIN_TOKEN"]')];
  return [
    ...common,
    catalog('.credential', CREDENTIAL),
    catalog('.oauth2-server-uri', quotePython(tokenEndpoint(request))),
    catalog('.scope', '"catalog"'),
    // Spark's own pattern lets the credential show in its web interface.
    ['spark.redaction.regex', '"(?i)secret|password|token|credential|access[.]?key"'],
  ];
};

function loadWithSpark({ namespace, name }: TableName): string {
  const path = [...namespace, name];
  const variable = path.find((one) => one.includes('${'));
  if (variable !== undefined) {
    throw new PangolinError('invalid_argument', `Spark takes ${JSON.stringify(variable)} for a variable.`, {
      hint: 'These do not: --language pyiceberg, trino, duckdb, curl.',
    });
  }
  return `
table = spark.table(${quotePython(['pangolin', ...path.map(quoteSpark)].join('.'))})
table.printSchema()
table.limit(10).show(truncate=False)
`;
}

const LIST_WITH_SPARK = `

def show(parent="pangolin"):
    for row in spark.sql(f"SHOW NAMESPACES IN {parent}").collect():
        namespace = f"pangolin.{row.namespace}"
        spark.sql(f"SHOW TABLES IN {namespace}").show(truncate=False)
        show(namespace)


show()
`;
