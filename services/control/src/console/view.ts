// What the page is told at each step, as JSON. No address of a client or of a shard is in it.
import type { RejectedSubject } from './rejected.ts';
import type { Scaler } from './scaler.ts';

/** How bad a finding is, or how much an event says. */
export type Level = 'bad' | 'warn' | 'good' | 'info';

/** Something that is wrong now, as a sentence. */
export interface Finding {
  readonly level: 'bad' | 'warn';
  readonly text: string;
  /** What to do, or to look at. */
  readonly advice: string;
  /** The part of the page that shows it. */
  readonly at: string;
}

/** Something that happened. */
export interface TimelineEvent {
  readonly n: number;
  readonly atMs: number;
  readonly level: Level;
  /** What it is about: a shard, a stream, `nats`, … */
  readonly about: string;
  readonly text: string;
}

export type States = Readonly<Record<string, number>>;

export interface ShardView {
  readonly shard: string;
  readonly pool: string;
  readonly clients: number;
  readonly capacity: number;
  readonly states: States;
  readonly backlogBytes: number;
  readonly bytesPerSecond: number;
  readonly framesPerSecond: number;
  /** 0 to 1. */
  readonly loop: number;
  readonly lateMs: number;
  readonly lagMs: number | undefined;
  readonly upMs: number | undefined;
  readonly version: string | undefined;
  readonly memoryBytes: number | undefined;
  readonly draining: boolean;
  readonly stale: boolean;
  readonly ready: boolean;
}

export interface PoolView {
  readonly pool: string;
  readonly shards: number;
  /** Shards that take clients. */
  readonly serving: number;
  readonly clients: number;
  readonly capacity: number;
  readonly states: States;
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly backlogBytes: number;
  /** Half of the deliveries were quicker. */
  readonly lagMs: number | undefined;
  /** 95 % of the deliveries were quicker. */
  readonly lag95Ms: number | undefined;
  /** Share of the writes by the backlog of the connection; the last bound is null. */
  readonly backlog: readonly (readonly [le: number | null, share: number])[];
  readonly softBytes: number | undefined;
  readonly hardBytes: number | undefined;
}

export interface ProcessView {
  readonly id: string;
  readonly version: string;
  readonly upMs: number;
  readonly memoryBytes: number;
  readonly nats: boolean;
}

export interface RouterView extends ProcessView {
  readonly connectsPerSecond: number;
  readonly pending: number;
  readonly refusedPerSecond: number;
}

export interface PublisherView extends ProcessView {
  readonly messagesPerSecond: number;
}

export interface DecisionView {
  readonly atMs: number;
  readonly pool: string;
  readonly wanted?: string;
  readonly confidence: string;
  readonly why: string;
  readonly line?: number;
  readonly rttMs?: number;
  readonly kbps?: number;
}

export interface StreamView {
  readonly stream: string;
  /** False while control cannot see it. */
  readonly seen: boolean;
  readonly fill: number;
  readonly bytes: number;
  readonly maxBytes: number;
  readonly messages: number;
  readonly perSecond: number;
  /** Age of the oldest message. */
  readonly ageMs: number | undefined;
  /** When the stream was created: with another one a new epoch began. */
  readonly createdMs: number;
  readonly lastSeq: number;
  /** Shards that may have read less than was published. */
  readonly behind: number;
  /** Stored messages that the slowest shard has not read; undefined if that is not known. */
  readonly lag: number | undefined;
  /** That shard; undefined if all have read everything. */
  readonly slowest: string | undefined;
}

/** A count by its label: of the last minute, and of the last hour. */
export type Counts = readonly { readonly name: string; readonly minute: number; readonly hour: number }[];

export interface View {
  /** Rises by one each step; begins anew with the console. */
  readonly step: number;
  readonly run: string;
  readonly atMs: number;
  /** When the console began to look. */
  readonly sinceMs: number;
  readonly everyMs: number;
  readonly nats: 'heard' | 'away' | 'starting';
  readonly leading: boolean;
  readonly kubernetes: boolean;
  /** Whether there is a token with which one may act. */
  readonly canAct: boolean;
  readonly total: TotalView;
  readonly findings: readonly Finding[];
  readonly pools: readonly PoolView[];
  readonly shards: readonly ShardView[];
  readonly routers: readonly RouterView[];
  readonly publishers: readonly PublisherView[];
  readonly decisions: readonly DecisionView[];
  readonly thresholds: { readonly rttMs: number; readonly kbps: number } | undefined;
  readonly streams: readonly StreamView[];
  readonly rejected: Counts;
  readonly rejectedSubjects: readonly RejectedSubject[];
  readonly closes: Counts;
  readonly moves: Counts;
  /** Undefined without Kubernetes. */
  readonly scalers: readonly Scaler[] | undefined;
  readonly events: readonly TimelineEvent[];
}

export interface TotalView {
  readonly clients: number;
  readonly shards: number;
  readonly publishedPerSecond: number;
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly lag95Ms: number | undefined;
}
