export type { CommandUnknownOpts } from '@commander-js/extra-typings';
export { findServer } from '../client/find-server.ts';
export type { WireClient } from '../client/wire-client.ts';
export { dataFolder } from '../config/paths.ts';
export { PangolinError } from '../errors.ts';
export { formatTime, printDone, printList, printObject } from './answers.ts';
export { registerCompletion } from './commands/completion.ts';
export { registerConfig } from './commands/config.ts';
export { registerListCatalogs } from './commands/list-catalogs.ts';
export { registerLogin } from './commands/login.ts';
export { registerLogout } from './commands/logout.ts';
export { registerRevokeToken } from './commands/revoke-token.ts';
export { registerWhoami } from './commands/whoami.ts';
export type { Context } from './context.ts';
export type { InputStream, OutputStream, ProcessEdges, StopSignal } from './edges.ts';
export { printIssuedToken } from './issued-token.ts';
export { buildProgram, examples, type ProgramDescriptor, type RegisterCommand } from './program.ts';
export { confirmDestruction } from './prompts.ts';
export { runProcess, runProgram } from './run.ts';
export { printSecret, RULE } from './secret-output.ts';
export { untilStopped } from './stop.ts';
export { type Column, type FieldValue, fieldText, toFieldBlock, toFieldLines, toTable } from './table.ts';
export { addTokenFilters, listFiltered, type TokenFilters } from './token-filters.ts';
export { tokenColumns, tokenFields, tokenStatus } from './tokens.ts';
export {
  isUuid,
  privilegeOption,
  readBoolean,
  readDays,
  readExpiry,
  readGraceHours,
  readLifetime,
  readPrivilegeName,
  readUuid,
  readWholeNumber,
  roleOption,
  scopeOption,
} from './values.ts';
export { isClosedPipe, writeText } from './write.ts';
