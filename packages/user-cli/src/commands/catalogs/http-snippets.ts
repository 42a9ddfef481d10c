import { encodeSegment, quoteShell, quoteSql } from './quoting.ts';
import { catalogUri, type Snippet, type SnippetRequest, tokenEndpoint } from './snippet.ts';
import type { TableName } from './table-name.ts';

// Secrets go through pipes: the arguments of a process are there for everybody on its machine to read.
const CURL = 'curl -sS --fail-with-body';

/** Shell commands that ask the catalog with curl. */
export function writeCurl(request: SnippetRequest): Snippet {
  const { table, auth } = request;
  const root = `${catalogUri(request)}/v1`;
  if (table && auth === 'token') {
    return {
      needs: 'curl 7.76 or newer',
      setup: [],
      code: `printf 'Authorization: Bearer %s\\n' "\${PANGOLIN_TOKEN:?is not set}" |
  ${CURL} -w '\\n' -H @- ${quoteShell(`${root}/${tablePath(table)}`)}
`,
    };
  }
  return {
    needs: 'curl 7.76 or newer and jq',
    setup: [],
    code: `(
set -eu
${auth === 'token' ? 'token=$PANGOLIN_TOKEN' : obtainToken(request)}
get() {
  printf 'Authorization: Bearer %s\\n' "$token" | ${CURL} -w '\\n' -H @- "$1"
}
${table ? `get ${quoteShell(`${root}/${tablePath(table)}`)}` : listTables(root)}
)
`,
  };
}

/** What the server said in the place of an answer. */
const refuse = (variable: string): string => `{ printf '%s\\n' "$${variable}" >&2; exit 1; }`;

const obtainToken = (request: SnippetRequest): string => `answer=$(printf %s "$PANGOLIN_CLIENT_SECRET" | ${CURL} \\
  -d grant_type=client_credentials -d scope=catalog \\
  --data-urlencode "client_id=$PANGOLIN_CLIENT_ID" --data-urlencode client_secret@- \\
  ${quoteShell(tokenEndpoint(request))}) || ${refuse('answer')}
token=$(printf %s "$answer" | jq -r .access_token)`;

const tablePath = ({ namespace, name }: TableName): string =>
  `namespaces/${namespace.map(encodeSegment).join('%1F')}/tables/${encodeSegment(name)}`;

// The levels of a namespace are joined by %1F.
const listTables = (root: string): string => `catalog=${quoteShell(root)}
show() {
  found=$(get "$catalog/namespaces\${1:+?parent=$1}") || ${refuse('found')}
  for namespace in $(printf %s "$found" | jq -r '.namespaces[] | map(@uri) | join("%1F")'); do
    echo "namespace $namespace"
    get "$catalog/namespaces/$namespace/tables" | jq -r '.identifiers[] | "table     " + (.name | @uri)'
    (show "$namespace")
  done
}
show ""`;

/** Shell commands that make the catalog a source of Dremio's, and look into it. */
export function writeDremio(request: SnippetRequest): Snippet {
  const { table, auth } = request;
  const source = {
    entityType: 'source',
    type: 'RESTCATALOG',
    name: 'pangolin',
    config: {
      restEndpointUri: catalogUri(request),
      isUsingVendedCredentials: true,
      propertyList:
        auth === 'token'
          ? []
          : [
              { name: 'oauth2-server-uri', value: tokenEndpoint(request) },
              { name: 'scope', value: 'catalog' },
            ],
      secretPropertyList: [
        auth === 'token'
          ? { name: 'token', value: '$PANGOLIN_TOKEN' }
          : { name: 'credential', value: '$PANGOLIN_CLIENT_ID:$PANGOLIN_CLIENT_SECRET' },
      ],
    },
  };
  const path = ['pangolin', ...(table ? [...table.namespace, table.name] : [])];
  return {
    needs: 'curl 7.76 or newer, Dremio Enterprise 26 or newer, and a personal access token of Dremio in DREMIO_TOKEN',
    setup: ['export DREMIO_URL=http://localhost:9047', 'read -rs DREMIO_TOKEN && export DREMIO_TOKEN'],
    code: `(
set -u
ask_dremio() {
  ${CURL} -w '\\n' -H @/dev/fd/3 "$@" 3<<HEADER
Authorization: Bearer $DREMIO_TOKEN
HEADER
}
ask_dremio -H 'Content-Type: application/json' --data-binary @- "$DREMIO_URL/api/v3/catalog" <<SOURCE
${JSON.stringify(source, null, 2)}
SOURCE
ask_dremio "$DREMIO_URL/api/v3/catalog/by-path/"${quoteShell(path.map(encodeSegment).join('/'))}
)
${table ? `echo 'Then ask Dremio:' ${quoteShell(`SELECT * FROM ${path.map(quoteSql).join('.')} LIMIT 10`)}\n` : ''}`,
  };
}
