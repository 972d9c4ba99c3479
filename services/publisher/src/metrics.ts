// Every series of the publisher, with closed labels.
// Invariant: each message of an answered request is counted once, in messages_total or in invalid_messages_total.
import type { Lane } from '@weir/protocol';
import type { Registry } from '@weir/runtime';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { RefusalCode } from './ingest/refusals.ts';
import type { ProblemCode } from './parse/message.ts';
import type { BatchProblem } from './parse/parse-batch.ts';
import type { Outcome } from './send/outcome.ts';

/** What the stages tell. */
export interface PublisherMetrics {
  readonly sent: (sent: {
    readonly lane: Lane;
    readonly outcome: Outcome;
    readonly bytes: number;
    readonly tookMs: number;
  }) => void;
  readonly invalid: (code: ProblemCode) => void;
  readonly answered: (status: number, refusal?: RefusalCode | BatchProblem['code']) => void;
}

/** Read when somebody scrapes. */
export interface PublisherGauges {
  readonly messagesInFlight: () => number;
  readonly requestsUnderWay: () => number;
}

/** Makes the series. */
export function createPublisherMetrics(registry: Registry, gauges: PublisherGauges): PublisherMetrics {
  const registers = [registry];
  const messages = new Counter({
    name: 'weir_publisher_messages_total',
    help: 'Messages for NATS, by lane and by what became of them; those of the demo feed too',
    labelNames: ['lane', 'outcome'],
    registers,
  });
  const bytes = new Counter({
    name: 'weir_publisher_message_bytes_total',
    help: 'Payload bytes that were kept or sent, by lane',
    labelNames: ['lane'],
    registers,
  });
  const invalid = new Counter({
    name: 'weir_publisher_invalid_messages_total',
    help: 'Messages that were refused for what they are, by reason',
    labelNames: ['reason'],
    registers,
  });
  const requests = new Counter({
    name: 'weir_publisher_requests_total',
    help: 'Requests that were answered, by HTTP status class',
    labelNames: ['outcome'],
    registers,
  });
  const refused = new Counter({
    name: 'weir_publisher_refused_requests_total',
    help: 'Requests that were refused as a whole, by reason',
    labelNames: ['reason'],
    registers,
  });
  const acks = new Histogram({
    name: 'weir_publisher_ack_seconds',
    help: 'Time until NATS acknowledged a message, by lane',
    labelNames: ['lane'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  gauge('weir_publisher_in_flight_messages', 'Messages that wait for NATS', gauges.messagesInFlight);
  gauge('weir_publisher_in_flight_requests', 'Requests that are under way', gauges.requestsUnderWay);
  return {
    sent({ lane, outcome, bytes: size, tookMs }) {
      const isDuplicate = outcome.kind === 'kept' && outcome.duplicate;
      messages.inc({ lane, outcome: isDuplicate ? 'duplicate' : outcome.kind });
      if (outcome.kind !== 'kept' && outcome.kind !== 'sent') return;
      if (!isDuplicate) bytes.inc({ lane }, size);
      acks.observe({ lane }, tookMs / 1000);
    },
    invalid: (code) => invalid.inc({ reason: code }),
    answered(status, refusal) {
      requests.inc({ outcome: `${Math.floor(status / 100)}xx` });
      if (refusal !== undefined) refused.inc({ reason: refusal });
    },
  };

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }
}
