/** Code with every quoted text taken out: `shape` has a § in the place of each, `texts` what each of them says. */
export interface Tokens {
  shape: string;
  texts: string[];
}

type ReadQuoted = (code: string, at: number) => { text: string; end: number } | null;

function takeOut(code: string, read: ReadQuoted): Tokens {
  const texts: string[] = [];
  let shape = '';
  for (let at = 0; at < code.length; ) {
    const quoted = read(code, at);
    if (quoted) texts.push(quoted.text);
    shape += quoted ? '§' : code[at];
    at = quoted ? quoted.end : at + 1;
  }
  return { shape, texts };
}

/** Reads up to the closing mark, which stands for itself where it is doubled. */
function readDoubling(code: string, at: number, mark: string) {
  let text = '';
  for (let next = at + 1; next < code.length; next++) {
    if (code[next] !== mark) text += code[next];
    else if (code[next + 1] === mark) {
      text += mark;
      next += 1;
    } else return { text, end: next + 1 };
  }
  throw new Error(`not closed: ${code.slice(at)}`);
}

/** SQL whose texts and identifiers stand in these marks. */
export const readSql = (code: string, marks: string): Tokens =>
  takeOut(code, (all, at) => {
    const mark = all[at] ?? '';
    return marks.includes(mark) ? readDoubling(all, at, mark) : null;
  });

const PYTHON_ESCAPES: Record<string, string> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  '"': '"',
  "'": "'",
  '\\': '\\',
};

/** Python with ordinary strings on one line each; the inside of an f-string is taken as it stands. */
export const readPython = (code: string): Tokens =>
  takeOut(code, (all, at) => {
    const mark = all[at];
    if (mark !== '"' && mark !== "'") return null;
    let text = '';
    for (let next = at + 1; next < all.length && all[next] !== '\n'; next++) {
      const character = all[next] ?? '';
      if (character === mark) return { text, end: next + 1 };
      if (character !== '\\') {
        text += character;
        continue;
      }
      next += 1;
      const escaped = all[next] ?? '';
      if (escaped === 'u') {
        text += String.fromCharCode(Number.parseInt(all.slice(next + 1, next + 5), 16));
        next += 4;
      } else text += PYTHON_ESCAPES[escaped] ?? `\\${escaped}`;
    }
    throw new Error(`not closed: ${all.slice(at)}`);
  });

/** A POSIX shell's words in single quotes, with the `'\''` between them; double quotes stay in the shape. */
export const readShell = (code: string): Tokens => {
  let inDouble = false;
  return takeOut(code, (all, at) => {
    if (all[at] === '"') inDouble = !inDouble;
    if (inDouble || all[at] !== "'") return null;
    let text = '';
    for (let from = at; ; ) {
      const close = all.indexOf("'", from + 1);
      if (close === -1) throw new Error(`not closed: ${all.slice(at)}`);
      text += all.slice(from + 1, close);
      if (!all.startsWith("\\''", close + 1)) return { text, end: close + 1 };
      text += "'";
      from = close + 3;
    }
  });
};
