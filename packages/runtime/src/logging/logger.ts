// JSON lines on stdout by pino. Writes are synchronous, so that the last lines of a process are not lost.
// Not for the tick path. Messages are constant phrases; data are fields.
import type { Logger } from 'pino';
import { destination, pino, stdTimeFunctions } from 'pino';
import { scrub } from './scrub.ts';

/** The values of `level`. */
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** The target of the lines; stdout by default. */
export interface LogSink {
  write(line: string): unknown;
}

/** A logger whose lines have the service's name and no secrets. */
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
