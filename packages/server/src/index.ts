export { type EmbeddedServer, type OpenOptions, openEmbedded } from './embedded.ts';
export { type RunningServer, type ServeOptions, startServer } from './serve.ts';
