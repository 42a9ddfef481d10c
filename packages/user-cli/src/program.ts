import {
  type ProgramDescriptor,
  registerCompletion,
  registerConfig,
  registerListCatalogs,
  registerLogin,
  registerLogout,
  registerRevokeToken,
  registerWhoami,
  runProcess,
} from '@pangolin/shared/cli';
import { registerGenerateCode } from './commands/catalogs/generate-code.ts';
import { registerGetToken } from './commands/tokens/get-token.ts';
import { registerGetTokenInfo } from './commands/tokens/get-token-info.ts';
import { registerListTokens } from './commands/tokens/list-tokens.ts';

/** pangolin-user: one's own tokens. */
export const pangolinUser = (version: string): ProgramDescriptor => ({
  name: 'pangolin-user',
  version,
  summary: 'Tokens for your data catalog.',
  firstSteps: [
    ['pangolin-user get-token', 'mint a token; nothing to set up'],
    ['pangolin-user login --url URL', 'use a server'],
    ['pangolin-user generate-code --language pyiceberg', 'code that opens your tables'],
  ],
  commands: [
    registerGetToken,
    registerListTokens,
    registerGetTokenInfo,
    registerRevokeToken,
    registerLogin,
    registerLogout,
    registerWhoami,
    registerListCatalogs,
    registerGenerateCode,
    registerConfig,
    registerCompletion,
  ],
});

/** Runs pangolin-user as this process. */
export const run = (version: string): Promise<void> => runProcess(pangolinUser(version));
