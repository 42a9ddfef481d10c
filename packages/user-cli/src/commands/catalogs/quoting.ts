/** A Python string literal; what JSON escapes, Python reads alike. */
export const quotePython = (text: string): string => JSON.stringify(text);

/** A word of a POSIX shell in which nothing is special. */
export const quoteShell = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A delimited identifier of standard SQL, as DuckDB, Trino and Dremio read it. */
export const quoteSql = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A delimited identifier of Spark SQL. */
export const quoteSpark = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** One segment of a URL's path, with no character in it that a shell or a URL reads. */
export const encodeSegment = (name: string): string =>
  encodeURIComponent(name).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
