// The shards as the router knows them: their beats from NATS, without those that Kubernetes says are leaving. Also warns
// about shards whose clock is too far from ours.
import type { BeatSource, ShardEntry } from '@weir/fleet';
import { createBeats } from '@weir/fleet';
import type { KubeApi } from '@weir/kubernetes';
import { createSubjects, limits } from '@weir/protocol';
import type { Clock, Logger } from '@weir/runtime';
import { logThrottle } from '@weir/runtime';
import type { RouterConfig } from './config.ts';
import type { Endpoints } from './endpoints/endpoints.ts';
import { createEndpoints } from './endpoints/endpoints.ts';
import type { RouterMetrics } from './metrics.ts';
import { largestSkewMs } from './metrics.ts';

/** The table of shards. */
export interface Shards {
  entries(): readonly ShardEntry[];
  /** A client was sent to the shard: it counts as a connection until the shard's next beats include it. */
  ticketGiven(shard: string): void;
  /** The table is the last known one, because NATS is not heard. */
  readonly stale: boolean;
  /** Every shard has had time to send a beat since the router first heard NATS. */
  readonly settled: boolean;
  /** Milliseconds since the view of the endpoints was last confirmed; infinite without a view. */
  readonly endpointAgeMs: number;
  /** Stops hearing beats and watching the endpoints. */
  stop(): Promise<void>;
}

export interface ShardsOptions {
  readonly config: Pick<
    RouterConfig,
    'beatSilentMs' | 'maxShards' | 'namespace' | 'endpointSelector' | 'subjectPrefix'
  >;
  /** The API server; undefined outside Kubernetes. */
  readonly api: KubeApi | undefined;
  /** Resolves with the connection to NATS; rejects if the process ends before that. */
  readonly connected: Promise<BeatSource>;
  readonly metrics: Pick<RouterMetrics, 'beats' | 'endpointProblems'>;
  readonly logger: Logger;
  readonly clock: Clock;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
}

const skewCheckMs = 10_000;
const skewLogMs = 60_000;
const kubeLogMs = 30_000;

/** Starts to hear beats and to watch the endpoints. */
export function openShards(o: ShardsOptions): Shards {
  const { config, clock, metrics, logger } = o;
  const beats = createBeats({
    silentMs: config.beatSilentMs,
    maxShards: config.maxShards,
    clock,
    onBeat: (outcome) => metrics.beats.inc({ outcome }),
  });
  o.connected.then(
    (connection) => beats.listen(connection, createSubjects(config.subjectPrefix).allBeats),
    // NATS was closed before it was ever connected: the process is ending.
    () => undefined,
  );
  const endpoints = watchEndpoints(o);
  const skewCheck = setInterval(createSkewCheck(beats, { logger, clock }), skewCheckMs);
  skewCheck.unref();
  return {
    entries: () => endpoints?.weigh(beats.entries()) ?? beats.entries(),
    ticketGiven: (shard) => beats.ticketGiven(shard),
    get stale() {
      return beats.stale;
    },
    get settled() {
      return beats.settled;
    },
    get endpointAgeMs() {
      return endpoints?.ageMs ?? Number.POSITIVE_INFINITY;
    },
    async stop() {
      clearInterval(skewCheck);
      beats.close();
      await endpoints?.stop();
    },
  };
}

function watchEndpoints(o: ShardsOptions): Endpoints | undefined {
  const { api, config, clock, random, metrics, logger } = o;
  if (api === undefined) return undefined;
  const often = logThrottle(kubeLogMs, clock);
  const endpoints = createEndpoints({
    api,
    namespace: config.namespace ?? '',
    labelSelector: config.endpointSelector,
    clock,
    random,
    onProblem: (error) => {
      metrics.endpointProblems.inc();
      const reason = error instanceof Error ? error.message : 'unknown reason';
      often((suppressed) => logger.warn({ reason, suppressed }, 'the endpoints cannot be watched'));
    },
  });
  endpoints.start();
  return endpoints;
}

/** A check that warns, at most once a minute, if the clock of a shard is so far from ours that tickets fail. */
export function createSkewCheck(
  shards: Pick<Shards, 'entries'>,
  { logger, clock }: Pick<ShardsOptions, 'logger' | 'clock'>,
): () => void {
  const often = logThrottle(skewLogMs, clock);
  return () => {
    const skewMs = largestSkewMs(shards.entries());
    if (Math.abs(skewMs) < limits.clockToleranceMs) return;
    often(() => logger.warn({ skewMs }, 'clock of a shard is far from ours, tickets may be refused'));
  };
}
