import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import type { Token } from '../contract/tokens.ts';

/** What the options below read. */
export interface TokenFilters {
  all?: true;
  expired?: true;
  revoked?: true;
}

/** The options that say which tokens are listed: the valid ones, unless asked otherwise. */
export function addTokenFilters<C extends CommandUnknownOpts>(command: C): C {
  command
    .addOption(new Option('--all', 'expired and revoked ones too').conflicts(['expired', 'revoked']))
    .option('--expired', 'only expired ones')
    .option('--revoked', 'only revoked ones');
  return command;
}

/** Lists the tokens that the options ask for; `list` answers all of one status, or all there are. */
export async function listFiltered(
  { all, expired, revoked }: TokenFilters,
  list: (query: { all: true; status?: 'valid' | 'expired' | 'revoked' }) => Promise<Token[]>,
): Promise<Token[]> {
  if (all) return list({ all: true });
  if (!expired && !revoked) return list({ all: true, status: 'valid' });
  const lists = [
    ...(expired ? await list({ all: true, status: 'expired' }) : []),
    ...(revoked ? await list({ all: true, status: 'revoked' }) : []),
  ];
  return [...new Map(lists.map((token) => [token.id, token])).values()];
}
