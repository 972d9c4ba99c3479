// Turns events of the cluster into lines.
import type { NatsEvent } from '../cluster.ts';
import { takenText } from '../ports.ts';
import type { ServiceEvent, ServiceSpec } from '../supervise/service-spec.ts';
import { readableChildLine } from './child-line.ts';
import type { Event } from './reporter.ts';

/** The line for an event; undefined if it is not worth one. */
export function tell(event: ServiceEvent | NatsEvent): Event | undefined {
  switch (event.kind) {
    case 'natsUp':
      return { who: 'nats', what: `up ${event.url}`, tone: 'good' };
    case 'natsCrashed':
      return {
        who: 'nats',
        what: `crashed (${event.how}); starting it again ${soon(event.retryMs)}`,
        tone: 'bad',
      };
    case 'up': {
      const { spec, url, pid } = event.service;
      const again = event.again ? 'up again' : 'up';
      return { who: nameOf(spec), what: `${again} ${url} (process ${pid})`, tone: 'good' };
    }
    case 'portTaken': {
      const what = takenText(event.usual, event.port);
      return what === undefined ? undefined : { who: nameOf(event.spec), what, tone: 'bad' };
    }
    case 'stopped': {
      const what = `stopped (exit code 0); starting it again ${soon(event.retryMs)}`;
      return { who: nameOf(event.spec), what };
    }
    case 'crashed': {
      const what = `crashed (${event.how}); starting it again ${soon(event.retryMs)}`;
      return { who: nameOf(event.spec), what, tone: 'bad' };
    }
    case 'unready':
      return { who: nameOf(event.spec), what: `not ready: ${event.reasons.join(', ')}`, tone: 'bad' };
    case 'readyAgain':
      return { who: nameOf(event.spec), what: 'ready again', tone: 'good' };
    case 'output': {
      const what = readableChildLine(event.line);
      return what === undefined ? undefined : { who: nameOf(event.spec), what };
    }
  }
}

/** `shard desktop-1`, but `router` if there is only one. */
function nameOf({ name, id }: ServiceSpec): string {
  return id === `${name}-1` ? name : `${name} ${id}`;
}

function soon(ms: number): string {
  return `in ${(ms / 1000).toFixed(1)} s`;
}
