import type { CommandUnknownOpts } from '@commander-js/extra-typings';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What a shell offers after one command path such as `config set`. */
interface Node {
  path: string;
  words: Array<{ word: string; about: string }>;
  options: Array<{ flag: string; about: string; takesValue: boolean; choices: readonly string[] }>;
}

/** Writes the completion script of a program for one shell, from its commander tree. */
export function writeCompletion(shell: Shell, program: CommandUnknownOpts): string {
  const nodes = collectNodes(program, '');
  const name = program.name();
  if (shell === 'fish') return writeFish(name, nodes);
  return shell === 'zsh' ? writeZsh(name, nodes) : writeBash(name, nodes);
}

function collectNodes(command: CommandUnknownOpts, path: string): Node[] {
  const children = command.commands.filter((child) => child.name() !== 'help');
  const args = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
  const node: Node = {
    path,
    words: [
      ...children.map((child) => ({ word: child.name(), about: child.summary() })),
      ...args.map((word) => ({ word, about: '' })),
    ],
    options: command
      .createHelp()
      .visibleOptions(command)
      .concat(command.options.filter((option) => option.hidden))
      .flatMap((option) => [option.long, option.short].flatMap((flag) => (flag ? [{ flag, option }] : [])))
      .map(({ flag, option }) => ({
        flag,
        about: option.description,
        takesValue: option.required || option.optional,
        choices: option.argChoices ?? [],
      })),
  };
  return [node, ...children.flatMap((child) => collectNodes(child, `${path} ${child.name()}`.trim()))];
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const wordList = (words: readonly string[]): string => quote(words.join(' '));

/** A `case` over command paths; both bash and zsh read it. */
function pathCases(nodes: readonly Node[], indent: string): string {
  return nodes
    .map((node) => {
      const values = node.options
        .filter((option) => option.takesValue)
        .map((option) => `${option.flag}) values=${wordList(option.choices)}; takes=1 ;;`);
      const flags = node.options.map((option) => option.flag);
      return [
        `${quote(node.path)})`,
        `  offers=${wordList(node.words.map(({ word }) => word))}`,
        `  flags=${wordList(flags)}`,
        ...(values.length === 0 ? [] : ['  case "$previous" in', ...values.map((line) => `    ${line}`), '  esac']),
        '  ;;',
      ]
        .map((line) => indent + line)
        .join('\n');
    })
    .join('\n');
}

const functionName = (name: string): string => `_${name.replaceAll('-', '_')}`;

const pathWalk = (nodes: readonly Node[]): string =>
  nodes
    .filter((node) => node.path !== '')
    .map((node) => quote(node.path))
    .join('|');

function writeBash(name: string, nodes: readonly Node[]): string {
  return `# bash completion for ${name}. Load it: source <(${name} completion bash)
${functionName(name)}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local path='' offers='' flags='' values='' takes='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${path:+$path }\${COMP_WORDS[i]}"
    case "$word" in ${pathWalk(nodes)}) path="$word" ;; esac
  done
  case "$path" in
${pathCases(nodes, '    ')}
  esac
  if [[ -n $takes ]]; then
    if [[ -n $values ]]; then COMPREPLY=($(compgen -W "$values" -- "$current")); else COMPREPLY=($(compgen -f -- "$current")); fi
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$offers" -- "$current"))
  fi
}
complete -o default -F ${functionName(name)} ${name}
`;
}

function writeZsh(name: string, nodes: readonly Node[]): string {
  return `#compdef ${name}
# zsh completion for ${name}. Load it: source <(${name} completion zsh)
${functionName(name)}() {
  local current="\${words[CURRENT]}" previous="\${words[CURRENT-1]}"
  local -a typed; typed=("\${(@)words[2,CURRENT-1]}")
  local path_='' offers='' flags='' values='' takes='' word
  for word in "\${typed[@]}"; do
    word="\${path_:+$path_ }$word"
    case "$word" in ${pathWalk(nodes)}) path_="$word" ;; esac
  done
  case "$path_" in
${pathCases(nodes, '    ')}
  esac
  if [[ -n $takes ]]; then
    if [[ -n $values ]]; then compadd -- \${=values}; else _files; fi
  elif [[ $current == -* ]]; then
    compadd -- \${=flags}
  else
    compadd -- \${=offers}
  fi
}
if [[ $funcstack[1] == ${functionName(name)} ]]; then ${functionName(name)} "$@"; else compdef ${functionName(name)} ${name}; fi
`;
}

function writeFish(name: string, nodes: readonly Node[]): string {
  const lines = nodes.flatMap((node) => {
    const when = `-n ${quote(`__${name.replaceAll('-', '_')}_at ${quoteInner(node.path)}`)}`;
    return [
      ...node.words.map(({ word, about }) => `complete -c ${name} -f ${when} -a ${quote(word)} -d ${quote(about)}`),
      ...node.options.map((option) =>
        [
          `complete -c ${name} ${when}`,
          option.flag.startsWith('--') ? `-l ${option.flag.slice(2)}` : `-s ${option.flag.slice(1)}`,
          ...(option.takesValue ? ['-r'] : []),
          ...(option.choices.length > 0 ? [`-f -a ${wordList(option.choices)}`] : []),
          `-d ${quote(option.about)}`,
        ].join(' '),
      ),
    ];
  });
  const paths = nodes.filter((node) => node.path !== '').map((node) => quote(node.path));
  return `# fish completion for ${name}. Load it: ${name} completion fish | source
function __${name.replaceAll('-', '_')}_at
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$path $word")
    contains -- $next ${paths.join(' ')}; and set path $next
  end
  test "$path" = "$argv"
end
${lines.join('\n')}
`;
}

const quoteInner = (path: string): string => (path === '' ? '""' : path);
