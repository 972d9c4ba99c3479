// Wires control: beats and pods in; metrics for autoscalers, moves and deletion costs out. Read this first. Control is
// not in the data path: without it, connected clients are still served.
import type { Beats } from '@weir/fleet';
import type { KubeApi } from '@weir/kubernetes';
import { LeaseElection, ObjectWatch, startPoll } from '@weir/kubernetes';
import type { Subjects } from '@weir/protocol';
import { isInbox } from '@weir/protocol';
import type { Clock, Health, Listening, Logger, NatsLink, Service, ShutdownStep } from '@weir/runtime';
import { logThrottle, urlHost } from '@weir/runtime';
import { keepCaBundle } from './certify/ca-bundle.ts';
import { validToMs } from './certify/check.ts';
import { certificateFromFiles } from './certify/files.ts';
import type { KeyPair } from './certify/generate.ts';
import { certificateFromSecret } from './certify/secret.ts';
import type { ControlConfig } from './config.ts';
import { Console } from './console/console.ts';
import { Measures } from './measure/measure.ts';
import { SERVED } from './measure/metric-names.ts';
import type { ControlMetrics, ControlReadings, KubeTask } from './metrics.ts';
import type { ShardPod } from './observe/pod.ts';
import { deletionCostAnnotation, readPod } from './observe/pod.ts';
import type { PricedPod } from './price/deletion-costs.ts';
import { DeletionCosts } from './price/deletion-costs.ts';
import { rebalanceText } from './rebalance/rebalance-now.ts';
import { Rebalancer } from './rebalance/rebalancer.ts';
import type { Knowledge } from './serve/answer.ts';
import { answer } from './serve/answer.ts';
import { frontProxyPath, readFrontProxy } from './serve/front-proxy.ts';
import type { MetricsServer, Trust } from './serve/metrics-server.ts';
import { createMetricsServer } from './serve/metrics-server.ts';
import { Streams } from './streams.ts';

/** The Kubernetes cluster that control runs in. */
export interface Cluster {
  readonly api: KubeApi;
  readonly namespace: string;
  /** The name of this process in the lease. */
  readonly identity: string;
}

export interface ControlOptions {
  readonly config: ControlConfig;
  /** Undefined outside Kubernetes. */
  readonly cluster: Cluster | undefined;
  readonly link: NatsLink;
  /** A second connection, for counting messages; undefined if streams are not measured. */
  readonly counting: NatsLink | undefined;
  readonly beats: Beats;
  readonly subjects: Subjects;
  /** Asks a shard to send clients away. Answers how many it will, or undefined if it does not answer. */
  readonly shed: (shard: string, moves: number) => Promise<number | undefined>;
  readonly metrics: ControlMetrics;
  /** Tells the metrics what a scrape reads; called once. */
  readonly readFrom: (readings: ControlReadings) => void;
  readonly logger: Logger;
  readonly clock: Clock;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
  /** An id of this process among other controls. */
  readonly run: string;
}

const stepMs = 1_000;
const refreshMs = 60_000;
const retryMs = 2_000;
const logEveryMs = 30_000;

export class Control implements Service {
  readonly #o: ControlOptions;
  readonly #measures = new Measures();
  readonly #election: LeaseElection | undefined;
  readonly #pods: ObjectWatch<ShardPod> | undefined;
  readonly #server: MetricsServer | undefined;
  readonly #streams: Streams;
  readonly #console: Console | undefined;
  readonly #rebalancer: Rebalancer;
  readonly #costs: DeletionCosts;
  readonly #polls: { stop(): void }[] = [];
  readonly #often = new Map<KubeTask, ReturnType<typeof logThrottle>>();
  #timer: NodeJS.Timeout | undefined;
  #trust: Trust | undefined;
  #authority: string | undefined;
  #listening = false;

  constructor(o: ControlOptions) {
    this.#o = o;
    const { cluster, config } = o;
    if (cluster !== undefined) {
      this.#election = this.#elect(cluster);
      this.#pods = this.#watchPods(cluster);
      if (config.metricsApi) this.#server = this.#serve(cluster);
    }
    this.#streams = new Streams({ ...o, leading: () => this.leading });
    if (config.console)
      this.#console = new Console({
        ...o,
        leading: () => this.leading,
        fullness: (stream) => this.#streams.fullness.get(stream),
        notStored: () => this.#streams.notStored,
      });
    this.#rebalancer = this.#balance();
    this.#costs = new DeletionCosts({
      monotonicMs: () => o.clock.monotonicMs(),
      leading: () => this.leading,
      pods: () => this.#pricedPods(),
      write: (pod, cost) => this.#writeCost(pod, cost),
    });
    o.readFrom({
      leading: () => this.leading,
      pods: () => this.#measures.counts,
      podsAgeMs: () => this.#pods?.ageMs ?? Number.POSITIVE_INFINITY,
      certificateEndsMs: () => (this.#trust === undefined ? undefined : validToMs(this.#trust.certificate)),
      fullness: (stream) => this.#streams.fullness.get(stream),
      browsers: () => this.#console?.browsers ?? 0,
    });
  }

  /** Outside Kubernetes there is one control, and it leads. */
  get leading(): boolean {
    return this.#election === undefined || this.#election.leading;
  }

  async start(): Promise<Listening> {
    const { config, cluster } = this.#o;
    const address = await this.#server?.listen(config.port, config.host);
    const page = await this.#console?.start();
    this.#listening = true;
    this.#election?.start();
    this.#pods?.start();
    if (cluster !== undefined && this.#server !== undefined) this.#keepTrust(cluster, this.#server);
    this.#timer = setInterval(() => this.#step(), stepMs);
    const { link, beats, subjects } = this.#o;
    link.ready().then(
      (connection) => {
        beats.listen(connection, subjects.allBeats);
        this.#streams.attend(connection);
        this.#console?.attend(connection);
        connection.subscribe(subjects.rebalance, {
          callback: (error, { reply }) => this.#rebalance(error, reply),
        });
      },
      // NATS was closed before it was ever connected: the process is ending.
      () => undefined,
    );
    return { url: address === undefined ? page : `https://${urlHost(config.host)}:${address.port}` };
  }

  /** A person asks to rebalance; of several controls the one that leads answers. */
  #rebalance(error: Error | null, reply: string | undefined): void {
    if (error !== null || reply === undefined || !isInbox(reply) || !this.#o.config.rebalance) return;
    const found = this.#rebalancer.now();
    if (found !== undefined) this.#o.link.publish(reply, rebalanceText(found));
  }

  get stops(): readonly ShutdownStep[] {
    const { beats, counting } = this.#o;
    return [
      { name: 'give the lease back', run: () => this.#stop() },
      { name: 'stop hearing the shards', run: () => beats.close() },
      { name: 'close the NATS connection that counts', run: () => counting?.close() },
    ];
  }

  health(): Health {
    const reasons = [
      ...(this.#listening ? [] : ['not listening yet']),
      ...(this.#server === undefined || this.#server.trusted
        ? []
        : ['has no certificate yet, or does not know the front proxy of the API server']),
    ];
    const { beats, cluster } = this.#o;
    const info = {
      leading: this.leading,
      kubernetes: cluster !== undefined,
      pods: this.#measures.counts,
      shards: beats.entries().length,
      stale: beats.stale,
    };
    // NATS does not count: while control is not ready, its API group is broken for the whole cluster.
    return { ready: reasons.length === 0, reasons, info };
  }

  /** Gives the lease back, answers the requests that are under way, and ends. */
  async #stop(): Promise<void> {
    this.#listening = false;
    this.#streams.stop();
    clearInterval(this.#timer);
    for (const poll of this.#polls) poll.stop();
    await Promise.all([
      this.#election?.stop(),
      this.#pods?.stop(),
      this.#server?.close(),
      this.#console?.stop(),
    ]);
  }

  #step(): void {
    const { config, beats } = this.#o;
    if (this.#pods !== undefined && Number.isFinite(this.#pods.ageMs))
      this.#measures.observe(
        [...this.#pods.items.values()].filter(({ live }) => live),
        beats.entries(),
      );
    if (config.rebalance) void this.#rebalancer.step();
    if (config.deletionCost && this.#pods !== undefined)
      this.#costs.step().catch((error: unknown) => this.#problem('deletionCost', error));
  }

  #elect({ api, namespace, identity }: Cluster): LeaseElection {
    const { config, clock, random } = this.#o;
    return new LeaseElection({
      api,
      namespace,
      name: config.leaseName,
      identity,
      monotonicMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs(),
      random,
      onProblem: (error) => this.#problem('lease', error),
    });
  }

  #watchPods({ api, namespace }: Cluster): ObjectWatch<ShardPod> {
    const { config, clock, random } = this.#o;
    return new ObjectWatch({
      api,
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`,
      labelSelector: config.podSelector,
      read: readPod,
      onProblem: (error) => this.#problem('pods', error),
      monotonicMs: () => clock.monotonicMs(),
      random,
    });
  }

  #serve({ namespace }: Cluster): MetricsServer {
    const { metrics, logger } = this.#o;
    return createMetricsServer({
      answer: (request) => answer(request, this.#knowledge(namespace)),
      onAnswer: ({ outcome }) => metrics.queries.inc({ outcome }),
      onFault: (err) => logger.error({ err }, 'metrics API failed'),
    });
  }

  #knowledge(namespace: string): Knowledge {
    const { beats, clock } = this.#o;
    const pods = this.#pods;
    const unseen = pods === undefined || !Number.isFinite(pods.ageMs);
    const stale = beats.stale
      ? 'NATS is away, so nothing is known of the load of the shards'
      : !beats.settled
        ? 'control has just started and has not heard the shards yet'
        : unseen
          ? 'control has not seen the pods yet'
          : undefined;
    const { silent } = this.#measures.counts;
    return { namespace, metrics: SERVED, pods: this.#measures.pods, silent, stale, wallMs: clock.wallMs() };
  }

  /** Keeps certificate, authorities and caBundle up to date. */
  #keepTrust(cluster: Cluster, server: MetricsServer): void {
    this.#poll('trust', async () => {
      const frontProxy = readFrontProxy(await cluster.api.request({ method: 'GET', path: frontProxyPath }));
      if (frontProxy === undefined) throw new Error('the API server has no front proxy (aggregation layer)');
      const { certificate, key } = await this.#certificate(cluster);
      const trust: Trust = { certificate, key, frontProxy };
      if (JSON.stringify(trust) === JSON.stringify(this.#trust)) return;
      server.trust(trust);
      const first = this.#trust === undefined;
      this.#trust = trust;
      this.#o.logger.info({ allowedNames: frontProxy.names.length }, 'metrics API has its certificate');
      if (first) this.#keepBundles(cluster);
    });
  }

  /** If control made the certificate itself, the API server must get its authority. */
  #keepBundles({ api, namespace }: Cluster): void {
    const { apiServices, serviceName: service } = this.#o.config;
    this.#poll('caBundle', async () => {
      const authority = this.#authority;
      if (authority === undefined) return;
      const kept = await keepCaBundle({ api, apiServices, namespace, service, authority });
      for (const [apiService, outcome] of kept) {
        this.#o.metrics.caBundles.inc({ outcome });
        if (outcome === 'foreign')
          this.#o.logger.warn({ apiService }, 'api service points to another service and is not changed');
        if (outcome === 'written')
          this.#o.logger.info({ apiService }, 'authority written to the api service');
      }
    });
  }

  async #certificate({ api, namespace }: Cluster): Promise<KeyPair> {
    const { config, clock } = this.#o;
    const { tlsCertFile, tlsKeyFile, tlsSecret, serviceName } = config;
    const names = [`${serviceName}.${namespace}.svc`];
    if (tlsCertFile !== undefined && tlsKeyFile !== undefined)
      return certificateFromFiles({
        certificateFile: tlsCertFile,
        keyFile: tlsKeyFile,
        names,
        nowMs: clock.wallMs(),
      });
    if (tlsSecret === undefined) throw new Error('there is no way to a certificate');
    const wallMs = (): number => clock.wallMs();
    const certified = await certificateFromSecret({ api, namespace, secret: tlsSecret, names, wallMs });
    this.#authority = certified.authority;
    return certified;
  }

  #balance(): Rebalancer {
    const { config, beats, clock, metrics, shed } = this.#o;
    return new Rebalancer({
      pace: {
        movesPerSecond: config.rebalanceMovesPerSecond,
        coolDownMs: config.rebalanceCoolDownMs,
        withinMs: config.rebalanceWithinMs,
      },
      monotonicMs: () => clock.monotonicMs(),
      leading: () => this.leading,
      entries: () => (beats.stale || !beats.settled ? undefined : beats.entries()),
      unheard: (pool) => this.#unheard(pool),
      shed,
      onRound: (pool, outcome) =>
        metrics.rounds.inc({ pool: config.pools.includes(pool) ? pool : 'other', outcome }),
      onMoves: (asked, accepted) => {
        metrics.movesAsked.inc(asked);
        metrics.movesAccepted.inc(accepted);
      },
    });
  }

  /** Live pods of a pool without a beat; a pod without a pool may belong to any. */
  #unheard(pool: string): number {
    if (this.#pods === undefined) return 0;
    const heard = new Set(this.#o.beats.entries().map(({ shard }) => shard));
    const live = [...this.#pods.items.values()].filter((pod) => pod.live && !heard.has(pod.name));
    return live.filter((pod) => pod.pool === pool || pod.pool === '').length;
  }

  #pricedPods(): readonly PricedPod[] {
    const { beats } = this.#o;
    if (beats.stale || !beats.settled) return [];
    const heard = new Map(beats.entries().map((entry) => [entry.shard, entry.connections]));
    return [...(this.#pods?.items.values() ?? [])].flatMap(({ name, uid, live, deletionCost }) => {
      const connections = heard.get(name);
      return live && connections !== undefined ? [{ name, uid, deletionCost, connections }] : [];
    });
  }

  async #writeCost({ name, uid }: PricedPod, cost: number): Promise<void> {
    const { cluster, metrics } = this.#o;
    if (cluster === undefined) return;
    const path = `/api/v1/namespaces/${encodeURIComponent(cluster.namespace)}/pods/${encodeURIComponent(name)}`;
    // With the uid, because a successor with the same name is another pod.
    const body = { metadata: { uid, annotations: { [deletionCostAnnotation]: String(cost) } } };
    await cluster.api.request({ method: 'PATCH', path, body });
    metrics.deletionCosts.inc();
  }

  #poll(task: KubeTask, run: () => Promise<void>): void {
    const onProblem = (error: unknown): void => this.#problem(task, error);
    this.#polls.push(startPoll({ run, everyMs: refreshMs, retryMs, onProblem }));
  }

  #problem(task: KubeTask, error: unknown): void {
    this.#o.metrics.kubernetesProblems.inc({ task });
    const often = this.#often.get(task) ?? logThrottle(logEveryMs, this.#o.clock);
    this.#often.set(task, often);
    const reason = error instanceof Error ? error.message : 'unknown reason';
    often((suppressed) =>
      this.#o.logger.warn({ task, reason, suppressed }, 'kubernetes did not do what was asked'),
    );
  }
}
