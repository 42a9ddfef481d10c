import pg from 'pg';

/** The URL of a database on the PostgreSQL server that tests run on. */
export function urlOf(name: string): string {
  const url = new URL(process.env.PANGOLIN_TEST_DATABASE_URL ?? '');
  url.pathname = `/${name}`;
  return url.href;
}

/** Connects to a database for a while. */
export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Runs a statement on the tests' server, outside any database of theirs. */
export async function runOnServer(statement: string): Promise<void> {
  await withClient(process.env.PANGOLIN_TEST_DATABASE_URL ?? '', (client) => client.query(statement));
}

/** The databases on the tests' server whose names begin so. */
export const listDatabases = (prefix: string): Promise<string[]> =>
  withClient(process.env.PANGOLIN_TEST_DATABASE_URL ?? '', async (client) => {
    const { rows } = await client.query<{ datname: string }>('select datname from pg_database order by datname');
    return rows.map(({ datname }) => datname).filter((name) => name.startsWith(prefix));
  });
