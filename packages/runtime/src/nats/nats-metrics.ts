// The metrics of a NATS connection.
import type { Metrics } from '../metrics/define-metrics.ts';
import { defineMetrics } from '../metrics/define-metrics.ts';

export interface NatsReadings {
  readonly connected: boolean;
}

export const natsMetrics = defineMetrics<NatsReadings>()({
  connected: {
    kind: 'gauge',
    name: 'weir_nats_connected',
    help: 'Whether the NATS server is there (1) or away (0)',
    advice:
      '0 for more than a few seconds: shards serve what they have and grow stale, the publisher answers 503',
    read: (link) => (link.connected ? 1 : 0),
  },
  reconnects: {
    kind: 'counter',
    name: 'weir_nats_reconnects_total',
    help: 'Connections to NATS after the first one',
    advice: 'A steady rate: the network or NATS itself',
  },
  dropped: {
    kind: 'counter',
    name: 'weir_nats_dropped_messages_total',
    help: 'Messages from NATS that could not be read and were dropped',
    advice: 'Above 0: a client of NATS sends invalid headers; look at its permissions',
  },
});

export type NatsMetrics = Metrics<typeof natsMetrics>;
