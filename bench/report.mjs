export const ratio = (value, base) => `${(value / base).toFixed(2)} ×`;
export const percent = (value, base) => `${Math.round((value / base) * 100)} %`;
export const perSecond = (value) => `${Math.round(value).toLocaleString('en')}/s`;

/** Collects what was measured, with the bound it must keep and the aim, and says each at once on stderr. */
export function createReport() {
  const rows = [['', 'measured', 'bound', 'aim']];
  return {
    report(what, value, bound = '', aim = '') {
      rows.push([what, value, bound, aim]);
      process.stderr.write(`${what}: ${value}\n`);
    },
    /** The table as text. */
    format() {
      const widths = [0, 1, 2, 3].map((k) => Math.max(...rows.map((row) => row[k].length)));
      const line = (row) => row.map((cell, k) => cell.padEnd(widths[k])).join('  ');
      return rows.map((row) => line(row).trimEnd()).join('\n');
    },
  };
}
