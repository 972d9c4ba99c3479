// JSON lines on stdout by pino, written synchronously so that the last words of a process are not lost.
// Never used on the tick path; messages are constant phrases, data are fields.
import type { Logger } from 'pino';
import { destination, pino, stdTimeFunctions } from 'pino';
import { scrub } from './scrub.ts';

/** What `level` may be. */
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Where the lines go; stdout unless a test asks otherwise. */
export interface LogSink {
  write(line: string): unknown;
}

/** A logger whose lines carry the service's name and no secrets. */
export function createLogger(options: {
  readonly service: string;
  readonly level: string;
  readonly sink?: LogSink;
}): Logger {
  const sink = options.sink ?? destination({ fd: 1, sync: true });
  return pino(
    {
      level: options.level,
      base: { service: options.service, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => sink.write(scrub(line)) },
  );
}
