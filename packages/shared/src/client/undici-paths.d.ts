// undici 7 has no exports map and no types for its inner files; its front door costs 50 ms to load, this one 20.
declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici';
  export = Agent;
}
