// Messages that every service prints for the same reason: shown once a run, worded for the user of `npm start`.
import type { NatsEvent } from '../cluster.ts';
import type { ServiceEvent } from '../supervise/service-spec.ts';
import type { Event } from './reporter.ts';
import { tell } from './tell.ts';

const SHARED = [
  {
    pattern: /limit of open files lowers /,
    what: 'the limit of open files leaves each service room for fewer clients than its settings allow: raise it with ulimit -n',
  },
] as const;

export class Once {
  readonly #said = new Set<string>();

  /** The line for an event; undefined if it was shown before, or is not worth a line. */
  tell(event: ServiceEvent | NatsEvent): Event | undefined {
    if (event.kind !== 'output') return tell(event);
    const shared = SHARED.find(({ pattern }) => pattern.test(event.line));
    if (shared === undefined) return tell(event);
    if (this.#said.has(shared.what)) return undefined;
    this.#said.add(shared.what);
    return { who: 'local', what: shared.what };
  }
}
