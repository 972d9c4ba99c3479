// Every metric of the publisher, as one table.
// Invariant: each message of an answered request is counted once, in messages_total or in invalid_messages_total.
import type { Lane } from '@weir/protocol';
import { LANES } from '@weir/protocol';
import type { Registry } from '@weir/runtime';
import { defineMetrics, registerMetrics } from '@weir/runtime';
import type { RefusalCode } from './ingest/refusals.ts';
import { refusals } from './ingest/refusals.ts';
import type { ProblemCode } from './parse/message.ts';
import { PROBLEM_CODES } from './parse/message.ts';
import type { BatchProblem } from './parse/parse-batch.ts';
import type { Outcome } from './send/outcome.ts';

type SendOutcome = Outcome['kind'] | 'duplicate';
const SEND_OUTCOMES: readonly SendOutcome[] = [
  'kept',
  'duplicate',
  'sent',
  'unavailable',
  'refused',
  'unknown',
];
const STATUS_CLASSES = ['2xx', '4xx', '5xx'] as const;
type Refused = RefusalCode | BatchProblem['code'];
const REFUSED: readonly Refused[] = [
  // The table is the list of its keys.
  ...(Object.keys(refusals) as RefusalCode[]),
  ...PROBLEM_CODES,
  'EMPTY',
  'TOO_MANY_MESSAGES',
];

/** What gauges read at a scrape. */
export interface PublisherReadings {
  readonly messagesInFlight: number;
  readonly requestsUnderWay: number;
  readonly openConnections: number;
  readonly rememberedPublishers: number;
}

export const publisherMetrics = defineMetrics<PublisherReadings>()({
  messages: {
    kind: 'counter',
    name: 'weir_publisher_messages_total',
    help: 'Messages for NATS by lane and outcome, those of the demo feed included',
    advice:
      '`unavailable`: NATS is away. `unknown`: no acknowledgement in time, the message may be there. `refused`: the stream does not take it. `duplicate`: the stream already had its id and stored nothing',
    labels: { lane: LANES, outcome: SEND_OUTCOMES },
  },
  messageBytes: {
    kind: 'counter',
    name: 'weir_publisher_message_bytes_total',
    help: 'Payload bytes that were kept or sent, by lane',
    advice: 'The rate into NATS',
    labels: { lane: LANES },
  },
  invalidMessages: {
    kind: 'counter',
    name: 'weir_publisher_invalid_messages_total',
    help: 'Invalid messages by reason',
    advice: 'A publisher sends invalid messages; the answer says why',
    labels: { reason: PROBLEM_CODES },
  },
  requests: {
    kind: 'counter',
    name: 'weir_publisher_requests_total',
    help: 'Answered requests by HTTP status class',
    advice: '`5xx`: NATS is away or the limits are reached',
    labels: { outcome: STATUS_CLASSES },
  },
  refusedRequests: {
    kind: 'counter',
    name: 'weir_publisher_refused_requests_total',
    help: 'Requests refused as a whole, by reason',
    advice: 'The reason names the limit',
    labels: { reason: REFUSED },
  },
  ackSeconds: {
    kind: 'histogram',
    name: 'weir_publisher_ack_seconds',
    help: 'Time until NATS acknowledged a message, by lane',
    advice: 'The p99: the disk of JetStream, or its replicas',
    labels: { lane: LANES },
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  },
  messagesInFlight: {
    kind: 'gauge',
    name: 'weir_publisher_in_flight_messages',
    help: 'Messages that wait for NATS',
    advice: 'At WEIR_MAX_IN_FLIGHT requests wait',
    read: ({ messagesInFlight }) => messagesInFlight,
  },
  requestsUnderWay: {
    kind: 'gauge',
    name: 'weir_publisher_in_flight_requests',
    help: 'Requests that are under way',
    advice: 'At WEIR_MAX_REQUESTS requests are answered 503',
    read: ({ requestsUnderWay }) => requestsUnderWay,
  },
  openConnections: {
    kind: 'gauge',
    name: 'weir_publisher_open_connections',
    help: 'Open HTTP connections',
    advice: 'Against WEIR_MAX_CONNECTIONS: beyond it the oldest connection without a request is closed',
    read: ({ openConnections }) => openConnections,
  },
  rememberedPublishers: {
    kind: 'gauge',
    name: 'weir_publisher_rate_limit_publishers',
    help: 'Keys and networks whose rate the publisher remembers',
    advice: 'At WEIR_MAX_PUBLISHERS the least recent is forgotten',
    read: ({ rememberedPublishers }) => rememberedPublishers,
  },
});

/** What the stages report. */
export interface PublisherMetrics {
  readonly sent: (sent: {
    readonly lane: Lane;
    readonly outcome: Outcome;
    readonly bytes: number;
    readonly tookMs: number;
  }) => void;
  readonly invalid: (code: ProblemCode) => void;
  readonly answered: (status: number, refusal?: Refused) => void;
}

export function createPublisherMetrics(registry: Registry): {
  readonly metrics: PublisherMetrics;
  readonly readFrom: (readings: PublisherReadings) => void;
} {
  const { metrics, readFrom } = registerMetrics(registry, publisherMetrics);
  return {
    readFrom,
    metrics: {
      sent({ lane, outcome, bytes, tookMs }) {
        const isDuplicate = outcome.kind === 'kept' && outcome.duplicate;
        metrics.messages.inc({ lane, outcome: isDuplicate ? 'duplicate' : outcome.kind });
        if (outcome.kind !== 'kept' && outcome.kind !== 'sent') return;
        if (!isDuplicate) metrics.messageBytes.inc({ lane }, bytes);
        metrics.ackSeconds.observe({ lane }, tookMs / 1000);
      },
      invalid: (reason) => metrics.invalidMessages.inc({ reason }),
      answered(status, reason) {
        metrics.requests.inc({ outcome: status >= 500 ? '5xx' : status >= 400 ? '4xx' : '2xx' });
        if (reason !== undefined) metrics.refusedRequests.inc({ reason });
      },
    },
  };
}
