// Every series of the publisher, with closed labels.
import type { Lane } from '@weir/protocol';
import type { Registry } from '@weir/runtime';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Outcome } from './send/outcome.ts';

/** Why a request was refused as a whole. */
export type RequestRefusal =
  | 'path'
  | 'method'
  | 'key'
  | 'contentType'
  | 'tooLarge'
  | 'body'
  | 'rate'
  | 'busy'
  | 'unavailable';

export interface PublisherMetrics {
  sent(lane: Lane, kind: Outcome['kind'], bytes: number, tookMs: number): void;
  invalid(): void;
  refused(reason: RequestRefusal): void;
}

/** Makes the series. */
export function createPublisherMetrics(registry: Registry, inFlight: () => number): PublisherMetrics {
  const registers = [registry];
  const messages = new Counter({
    name: 'weir_publisher_messages_total',
    help: 'Messages handed to NATS, by lane and outcome',
    labelNames: ['lane', 'outcome'],
    registers,
  });
  const bytes = new Counter({
    name: 'weir_publisher_message_bytes_total',
    help: 'Payload bytes handed to NATS, by lane',
    labelNames: ['lane'],
    registers,
  });
  const invalid = new Counter({
    name: 'weir_publisher_invalid_messages_total',
    help: 'Messages that were refused for what they are',
    registers,
  });
  const refused = new Counter({
    name: 'weir_publisher_requests_refused_total',
    help: 'Requests that were refused as a whole, by reason',
    labelNames: ['reason'],
    registers,
  });
  const latency = new Histogram({
    name: 'weir_publisher_ack_seconds',
    help: 'Time until NATS acknowledged a message',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  new Gauge({
    name: 'weir_publisher_in_flight_messages',
    help: 'Messages that wait for their acknowledgement',
    registers,
    collect() {
      this.set(inFlight());
    },
  });
  return {
    sent(lane, outcome, size, tookMs) {
      messages.inc({ lane, outcome });
      bytes.inc({ lane }, size);
      latency.observe(tookMs / 1000);
    },
    invalid: () => invalid.inc(),
    refused: (reason) => refused.inc({ reason }),
  };
}
