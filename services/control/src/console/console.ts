// The console: once a step it puts together what beats, figures, streams and autoscalers say, keeps an hour of it, and
// tells every browser. It only looks; what it can do to the cluster is in act.ts. Nothing of it is in the data path.
import type { Beats, Figures } from '@weir/fleet';
import type { KubeApi } from '@weir/kubernetes';
import { ObjectWatch } from '@weir/kubernetes';
import type { Subjects } from '@weir/protocol';
import type { Clock, Logger, NatsConnection, NatsLink } from '@weir/runtime';
import { logThrottle } from '@weir/runtime';
import type { ControlConfig } from '../config.ts';
import type { Fullness, StreamName } from '../fullness/attend.ts';
import type { ControlMetrics } from '../metrics.ts';
import type { Action, ActionOutcome } from './act.ts';
import { Actions } from './act.ts';
import { ConsoleServer } from './console-server.ts';
import { Counted } from './counted.ts';
import { Ears } from './ears.ts';
import { findings, Steady } from './findings.ts';
import { clients, FleetWatch } from './fleet-watch.ts';
import { History } from './history.ts';
import { decisionViews, poolViews, publisherViews, routerViews, shardView, totalView } from './look.ts';
import { readPageFiles } from './page-files.ts';
import { ProcessWatch } from './process-watch.ts';
import { Processes } from './processes.ts';
import { RejectedSubjects } from './rejected.ts';
import type { Scaler } from './scaler.ts';
import { readScaler } from './scaler.ts';
import { StreamLags } from './stream-lag.ts';
import { StreamWatch } from './stream-watch.ts';
import { Timeline } from './timeline.ts';
import type { View } from './view.ts';

export interface ConsoleOptions {
  readonly config: ControlConfig;
  readonly link: NatsLink;
  readonly subjects: Subjects;
  readonly beats: Beats;
  /** Undefined outside Kubernetes. */
  readonly cluster: { readonly api: KubeApi; readonly namespace: string } | undefined;
  readonly leading: () => boolean;
  readonly fullness: (stream: StreamName) => Fullness | undefined;
  /** Messages that the streams have not stored since the start, as far as control has seen. */
  readonly notStored: () => number;
  readonly metrics: Pick<ControlMetrics, 'consoleFigures' | 'consoleActions' | 'consoleSkipped'>;
  readonly logger: Logger;
  readonly clock: Clock;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
  /** An id of this process. */
  readonly run: string;
}

const hourMs = 3_600_000;
/** Shortest time between two rows of the hour: of 500 shards a row has 12 KB. */
const rowMs = 2_000;
const shownDecisions = 200;
const shownEvents = 200;
const shownSubjects = 20;
const maxPools = 64;
const logEveryMs = 30_000;
const silentMs = 30_000;
/** `desktop-2` before `desktop-10`. */
const byNumber = new Intl.Collator('en', { numeric: true });
const STREAMS: readonly StreamName[] = ['state', 'critical'];
const POOL_COLUMNS = ['clients', 'frames', 'bytes', 'backlog', 'lag', 'lag95'] as const;
const SHARD_COLUMNS = ['clients', 'backlog', 'bytes', 'loop', 'late', 'lag'] as const;
const TOTAL_COLUMNS = ['published', 'rejected'] as const;

export class Console {
  readonly #o: ConsoleOptions;
  readonly #ears: Ears;
  readonly #processes: Processes;
  readonly #fleet = new FleetWatch();
  readonly #steady = new Steady();
  readonly #others = new ProcessWatch();
  readonly #streams = new StreamWatch();
  readonly #lags = new StreamLags();
  readonly #timeline = new Timeline();
  readonly #subjects = new RejectedSubjects();
  readonly #counted: Counted;
  readonly #pools: History<(typeof POOL_COLUMNS)[number]>;
  readonly #shards: History<(typeof SHARD_COLUMNS)[number]>;
  readonly #total: History<(typeof TOTAL_COLUMNS)[number]>;
  /** Steps from one row of the hour to the next. */
  readonly #stepsOfRow: number;
  /** When the newest row was kept. */
  #rowAtMs = 0;
  readonly #scalers: ObjectWatch<Scaler> | undefined;
  readonly #wanted = new Map<string, number>();
  readonly #sinceMs: number;
  readonly #actions: Actions;
  readonly #refusals: ReturnType<typeof logThrottle>;
  #server: ConsoleServer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #step = -1;
  #view: View;
  #json: string;
  #nats: View['nats'] = 'starting';
  #notStored = 0;

  constructor(o: ConsoleOptions) {
    const { config, clock } = o;
    const everyMs = config.consoleEveryMs;
    this.#stepsOfRow = Math.ceil(rowMs / everyMs);
    const size = Math.round(hourMs / (everyMs * this.#stepsOfRow));
    this.#o = o;
    this.#sinceMs = clock.wallMs();
    this.#refusals = logThrottle(logEveryMs, clock);
    this.#processes = new Processes({ max: config.maxShards * 2, silentMs: everyMs * 3 + 1_000 });
    this.#counted = new Counted({ size: Math.round(hourMs / everyMs), everyMs });
    this.#pools = new History({ columns: POOL_COLUMNS, size, maxNames: maxPools });
    this.#shards = new History({ columns: SHARD_COLUMNS, size, maxNames: config.consoleMaxShards });
    this.#total = new History({ columns: TOTAL_COLUMNS, size, maxNames: 1 });
    this.#ears = new Ears({
      link: o.link,
      subjects: o.subjects,
      onFigures: (figures, bytes) => this.#take(figures, bytes),
      onRejected: (copy) => this.#rejected(copy),
    });
    this.#scalers = o.cluster === undefined ? undefined : this.#watchScalers(o.cluster);
    this.#actions = new Actions({
      token: config.consoleToken,
      aboutShard: (shard) => this.#aboutShard(shard),
      drain: (shard) => this.#ears.drain(shard),
      rebalance: () => this.#ears.rebalance(),
      monotonicMs: () => clock.monotonicMs(),
      onAction: (action, outcome, text) => this.#acted(action, outcome, text),
    });
    this.#view = this.#look();
    this.#json = JSON.stringify(this.#view);
  }

  /** Browsers that look now. */
  get browsers(): number {
    return this.#server?.browsers ?? 0;
  }

  /** Answers the URL of the page. */
  async start(): Promise<string> {
    const { config, metrics, logger, clock } = this.#o;
    const often = logThrottle(logEveryMs, clock);
    this.#server = new ConsoleServer({
      host: config.consoleHost,
      port: config.consolePort,
      allowedHosts: config.consoleAllowedHosts ?? [],
      maxBrowsers: config.consoleMaxBrowsers,
      files: await readPageFiles(),
      view: () => this.#json,
      history: (shards) => this.#historyOf(shards),
      act: (token, body) => this.#actions.handle(token, body),
      silentMs: config.consoleEveryMs + silentMs,
      onSkipped: () => metrics.consoleSkipped.inc(),
      onFault: (err) => often((suppressed) => logger.error({ err, suppressed }, 'console failed')),
    });
    const url = await this.#server.listen();
    logger.info({ url }, 'console listens');
    this.#scalers?.start();
    this.#timer = setInterval(() => this.step(), config.consoleEveryMs);
    return url;
  }

  /** Call it when NATS is there. */
  attend(connection: NatsConnection): void {
    this.#ears.listen(connection);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#scalers?.stop(), this.#server?.close()]);
  }

  /** Looks once, tells the browsers, and asks for the next figures. */
  step(): void {
    const { beats, clock } = this.#o;
    this.#step += 1;
    this.#processes.forget(clock.monotonicMs());
    this.#hearNats();
    if (this.#nats === 'heard') {
      const changes = this.#fleet.step(beats.entries(), clock.monotonicMs());
      for (const change of [...changes, ...this.#others.step(this.#processes)]) this.#tell(change);
    }
    for (const change of this.#streams.step(STREAMS, this.#o.fullness, clock.wallMs())) this.#tell(change);
    this.#lags.step(STREAMS, this.#o.fullness);
    this.#count();
    this.#watchWanted();
    this.#view = this.#look();
    this.#keep();
    this.#json = JSON.stringify(this.#view);
    this.#server?.tell(this.#json);
    this.#ears.ask();
  }

  #hearNats(): void {
    const { beats } = this.#o;
    const before = this.#nats;
    this.#nats = beats.stale ? (before === 'starting' ? before : 'away') : beats.settled ? 'heard' : before;
    if (before === this.#nats || before === 'starting') return;
    if (this.#nats === 'away') this.#tell({ level: 'bad', about: 'nats', text: 'NATS is away.' });
    else this.#tell({ level: 'good', about: 'nats', text: 'NATS is back.' });
  }

  #count(): void {
    const grown = this.#processes.collect();
    const shards = this.#processes.of('shard').toSorted((a, b) => a.startedMs - b.startedMs);
    this.#counted.addShards(grown('shard'), shards[0]?.figures.id);
    this.#counted.addRouters(grown('router'));
    const notStored = this.#o.notStored();
    this.#counted.add('notStored', 'messages', notStored - this.#notStored);
    this.#notStored = notStored;
    this.#counted.step();
  }

  #watchWanted(): void {
    for (const { name, pool, current, wanted } of this.#scalers?.items.values() ?? []) {
      const before = this.#wanted.get(name);
      this.#wanted.set(name, wanted);
      if (before === undefined || before === wanted) continue;
      const text = `The autoscaler of pool ${pool} wants ${wanted} shards; there are ${current}.`;
      this.#tell({ level: 'info', about: pool, text });
    }
  }

  #look(): View {
    const { config, beats, clock, leading, cluster, run } = this.#o;
    const processes = this.#processes;
    const entries = beats.entries().toSorted((a, b) => byNumber.compare(a.shard, b.shard));
    const shards = entries.map((entry) => shardView(entry, processes.get('shard', entry.shard)));
    const told = entries.flatMap(({ shard }) => processes.get('shard', shard) ?? []);
    const pools = poolViews(shards, processes);
    const limits = processes.of('router')[0]?.figures.limits;
    const { rttMs, kbps } = limits ?? {};
    const facts = {
      nats: this.#nats,
      pools,
      shards,
      routers: routerViews(processes),
      publishers: publisherViews(processes),
      streams: this.#streams.views(shards.filter(({ stale }) => stale).length, (stream) =>
        this.#lags.of(stream, told),
      ),
      rejected: this.#counted.of('reject'),
      closes: this.#counted.of('close'),
      scalers: this.#scalers === undefined ? undefined : [...this.#scalers.items.values()],
    };
    const more = {
      lost: this.#fleet.lost,
      notStored: this.#counted.ofMinute('notStored'),
      notPlaced: this.#counted.ofMinute('notPlaced'),
      knownPools: this.#pools.names,
    };
    return {
      step: Math.max(0, this.#step),
      run,
      atMs: clock.wallMs(),
      sinceMs: this.#sinceMs,
      everyMs: config.consoleEveryMs,
      leading: leading(),
      kubernetes: cluster !== undefined,
      canAct: config.consoleToken !== undefined,
      total: totalView(shards, pools, processes),
      findings: this.#nats === 'starting' ? [] : this.#steady.of(findings({ ...facts, ...more })),
      ...facts,
      decisions: decisionViews(processes, shownDecisions),
      thresholds: rttMs === undefined || kbps === undefined ? undefined : { rttMs, kbps },
      rejectedSubjects: this.#subjects.list(shownSubjects),
      moves: this.#counted.of('move'),
      events: this.#timeline.newest(shownEvents),
    };
  }

  #keep(): void {
    if (this.#step % this.#stepsOfRow !== 0) return;
    const { pools, shards, total, rejected, atMs } = this.#view;
    this.#rowAtMs = atMs;
    this.#pools.add(
      new Map(
        pools.map(({ pool, clients: has, framesPerSecond, bytesPerSecond, backlogBytes, lagMs, lag95Ms }) => [
          pool,
          {
            clients: has,
            frames: framesPerSecond,
            bytes: bytesPerSecond,
            backlog: backlogBytes,
            lag: lagMs ?? Number.NaN,
            lag95: lag95Ms ?? Number.NaN,
          },
        ]),
      ),
    );
    this.#shards.add(
      new Map(
        shards.map(({ shard, clients: has, backlogBytes, bytesPerSecond, loop, lateMs, lagMs }) => [
          shard,
          {
            clients: has,
            backlog: backlogBytes,
            bytes: bytesPerSecond,
            loop,
            late: lateMs,
            lag: lagMs ?? Number.NaN,
          },
        ]),
      ),
    );
    const published = total.publishedPerSecond;
    const aMinute = rejected.reduce((sum, { minute }) => sum + minute, 0);
    this.#total.add(new Map([['total', { published, rejected: aMinute }]]));
  }

  #historyOf(shards: readonly string[]): string {
    const named = (names: readonly string[], of: (name: string) => unknown): object =>
      Object.fromEntries(names.map((name) => [name, of(name)]));
    return JSON.stringify({
      run: this.#o.run,
      step: this.#view.step,
      endMs: this.#rowAtMs,
      everyMs: this.#view.everyMs * this.#stepsOfRow,
      length: this.#total.length,
      total: this.#total.of('total'),
      pools: named(this.#pools.names, (name) => this.#pools.of(name)),
      shards: named(shards, (name) => this.#shards.of(name)),
    });
  }

  #take(figures: Figures | undefined, bytes: number): void {
    const { clock, metrics } = this.#o;
    if (figures === undefined) return metrics.consoleFigures.inc({ outcome: 'invalid' });
    const outcome = this.#processes.take(figures, {
      nowMs: clock.monotonicMs(),
      wallMs: clock.wallMs(),
      bytes,
    });
    metrics.consoleFigures.inc({ outcome });
  }

  #rejected(copy: { readonly subject: string; readonly reason: string }): void {
    const shards = this.#o.beats.entries().length;
    this.#subjects.hear({ ...copy, shards, wallMs: this.#o.clock.wallMs() });
  }

  #aboutShard(id: string): string | undefined {
    const shard = this.#view.shards.find((one) => one.shard === id);
    if (shard === undefined) return undefined;
    const others = this.#view.shards.filter(
      ({ pool, shard: other, ready, draining }) => pool === shard.pool && other !== id && ready && !draining,
    );
    const where =
      others.length === 0
        ? `there is no other shard of pool ${shard.pool} that takes them`
        : `${others.length} other shard${others.length === 1 ? '' : 's'} of pool ${shard.pool} take them`;
    return `${id} moves its ${clients(shard.clients)} away and ends; ${where}. What supervises it starts it again.`;
  }

  #acted(action: Action | undefined, outcome: ActionOutcome, text: string): void {
    const { metrics, logger } = this.#o;
    metrics.consoleActions.inc({ action: action?.act ?? 'none', outcome });
    if (action === undefined) {
      // Anybody who reaches the console can make such requests, as many as he likes.
      this.#refusals((suppressed) => logger.warn({ outcome, suppressed }, 'console refused to act'));
      return;
    }
    logger.warn({ ...action, outcome }, 'console action');
    if (outcome === 'asked') return;
    const what = action.act === 'drain' ? `drain ${action.shard}` : 'rebalance';
    const level = outcome === 'done' ? 'info' : 'warn';
    this.#tell({ level, about: 'console', text: `A person asked to ${what}: ${text}` });
  }

  #tell(change: {
    readonly level: View['events'][number]['level'];
    readonly about: string;
    readonly text: string;
  }): void {
    this.#timeline.add({ atMs: this.#o.clock.wallMs(), ...change });
  }

  #watchScalers({
    api,
    namespace,
  }: {
    readonly api: KubeApi;
    readonly namespace: string;
  }): ObjectWatch<Scaler> {
    const { config, clock, random, logger } = this.#o;
    const often = logThrottle(logEveryMs, clock);
    return new ObjectWatch({
      api,
      path: `/apis/autoscaling/v2/namespaces/${encodeURIComponent(namespace)}/horizontalpodautoscalers`,
      labelSelector: config.consoleScalerSelector,
      read: readScaler,
      onProblem: (err) =>
        often((suppressed) => logger.warn({ err, suppressed }, 'console does not see the autoscalers')),
      monotonicMs: () => clock.monotonicMs(),
      random,
    });
  }
}
