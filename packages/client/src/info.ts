// What is known of a connection before there was one.
import type { Info } from './public.ts';

export const NO_INFO: Info = {
  pool: undefined,
  shard: undefined,
  session: undefined,
  tickMs: undefined,
  rttMs: undefined,
  kbps: undefined,
  confidence: undefined,
  attempts: 0,
  lastClose: undefined,
};
