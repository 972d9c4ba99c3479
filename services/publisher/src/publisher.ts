// The publisher: HTTP -> parse -> send -> NATS, and the demo feed. It only connects the stages.
import { setTimeout as sleep } from 'node:timers/promises';
import { createSubjects, streamDefinitions } from '@weir/protocol';
import type { Clock, Health, Listening, Logger, NatsLink, Service, ShutdownStep } from '@weir/runtime';
import { ensureStreams, logThrottle, urlHost } from '@weir/runtime';
import type { PublisherConfig } from './config.ts';
import { Lobby, lobbyPeriodMs } from './demo/lobby.ts';
import { runFeed } from './demo/run-feed.ts';
import { createAuthorise } from './ingest/authorise.ts';
import { Handler } from './ingest/handle.ts';
import type { HttpServer } from './ingest/http-server.ts';
import { listen } from './ingest/http-server.ts';
import { RateLimit } from './ingest/rate-limit.ts';
import type { PublisherMetrics, PublisherReadings } from './metrics.ts';
import { parseBatch } from './parse/parse-batch.ts';
import { Sender } from './send/sender.ts';
import { natsTransport } from './send/transport.ts';

export interface PublisherOptions {
  readonly config: PublisherConfig;
  readonly link: NatsLink;
  readonly logger: Logger;
  readonly clock: Clock;
  /** 0 ≤ value < 1; for the demo feed. */
  readonly random: () => number;
  readonly metrics: PublisherMetrics;
  /** Tells the metrics what a scrape reads; called once. */
  readonly readFrom: (readings: PublisherReadings) => void;
}

const streamRetryMs = 2_000;
const demoChannel = 'lobby';

export class Publisher implements Service {
  readonly #options: PublisherOptions;
  readonly #sender: Sender;
  readonly #rateLimit: RateLimit;
  readonly #handler: Handler;
  readonly #stopping = new AbortController();
  readonly #logStreams = logThrottle(30_000);
  readonly #logDemo = logThrottle(30_000);
  #server: HttpServer | undefined;
  #demo: Promise<void> | undefined;
  #ensuring: Promise<void> | undefined;
  /** Why the streams are not there; undefined when they are. */
  #streamProblem: string | undefined = 'the streams are not there yet';
  #ready = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    options.readFrom(this);
    const { config, link, clock, metrics } = options;
    this.#sender = new Sender({
      transport: natsTransport(link),
      subjects: createSubjects(config.subjectPrefix),
      ackTimeoutMs: config.ackTimeoutMs,
      maxInFlight: config.maxInFlight,
      clock,
      observe: (sent) => {
        metrics.sent(sent);
        // Connected, but no stream keeps the message: the stream was deleted, or NATS lost its disk.
        if (sent.outcome.kind === 'unavailable' && link.connected) void this.#ensure();
      },
    });
    this.#rateLimit = new RateLimit({
      perSecond: { messages: config.messagesPerSecond, bytes: config.bytesPerSecond },
      maxPublishers: config.maxPublishers,
      clock,
    });
    this.#handler = new Handler({
      parse: (body, format) => parseBatch(body, { format, maxMessages: config.maxBatch }),
      send: (messages) => this.#sender.sendAll(messages),
      authorise: createAuthorise(config.apiKeys ?? []),
      rateLimit: this.#rateLimit,
      maxBodyBytes: config.maxBodyBytes,
      maxRequests: config.maxRequests,
      maxRequestsPerPublisher: config.maxRequestsPerPublisher ?? Math.ceil(config.maxRequests / 2),
      onAnswer: (status, refusal) => metrics.answered(status, refusal),
      onInvalid: (code) => metrics.invalid(code),
    });
  }

  get messagesInFlight(): number {
    return this.#sender.inFlight;
  }

  /** Keys and networks whose rate is remembered. */
  get rememberedPublishers(): number {
    return this.#rateLimit.publishers;
  }

  get openConnections(): number {
    return this.#server?.connections ?? 0;
  }

  get requestsUnderWay(): number {
    return this.#handler.underWay;
  }

  /** Ready once the streams were there. If NATS is away later, requests get 503 and the publisher stays ready. */
  health(): Health {
    const reasons = [
      ...(this.#ready ? [] : [this.#streamProblem ?? 'the streams are not there yet']),
      ...(this.#server === undefined ? ['not listening'] : []),
      ...(this.#stopping.signal.aborted ? ['stopping'] : []),
    ];
    const info = { nats: this.#options.link.connected, streams: this.#streamProblem ?? 'ok' };
    return { ready: reasons.length === 0, reasons, info };
  }

  /** Creates the streams as soon as NATS is there. */
  async start(): Promise<Listening> {
    const { config, logger, link } = this.#options;
    this.#server = await listen({
      host: config.host,
      port: config.port,
      maxConnections: config.maxConnections,
      requestTimeoutMs: config.bodyTimeoutMs,
      handler: this.#handler,
      logger,
    });
    link.onStatus((status) => {
      if (status !== 'disconnected') void this.#ensure();
    });
    void this.#ensure();
    if (config.demo === 'lobby') this.#demo = this.#runDemo();
    return { url: `http://${urlHost(config.host)}:${this.#server.port}` };
  }

  get stops(): readonly ShutdownStep[] {
    return [{ name: 'answer the requests that are under way', run: () => this.#stop() }];
  }

  /** Ends the feed, then waits for the requests that are under way. */
  async #stop(): Promise<void> {
    this.#stopping.abort();
    await this.#demo;
    await this.#server?.close();
  }

  /** Creates or updates the streams; retries, one attempt at a time, until they are there. */
  #ensure(): Promise<void> {
    this.#ensuring ??= this.#ensureUntilThere().finally(() => {
      this.#ensuring = undefined;
    });
    return this.#ensuring;
  }

  async #ensureUntilThere(): Promise<void> {
    const { config, link, logger } = this.#options;
    const { state, critical } = streamDefinitions(createSubjects(config.subjectPrefix), {
      criticalMaxAgeMs: config.criticalMaxAgeMs,
      criticalMaxPerChannel: config.criticalMaxPerChannel,
      maxBytes: config.streamMaxBytes,
      replicas: config.streamReplicas,
    });
    while (!this.#stopping.signal.aborted && link.connected) {
      try {
        const connection = await link.ready();
        await ensureStreams({ connection, streams: [state, critical], logger, again: this.#ready });
        this.#streamProblem = undefined;
        this.#ready = true;
        return;
      } catch (err) {
        this.#streamProblem = err instanceof Error ? err.message : 'the streams cannot be made';
        this.#logStreams((suppressed) => logger.error({ err, suppressed }, 'streams cannot be prepared'));
        await this.#sleep(streamRetryMs);
      }
    }
  }

  #runDemo(): Promise<void> {
    const { clock, random, logger } = this.#options;
    // Begin at the time in seconds: with less than one hit a second the number rises over restarts, too.
    const firstHit = Math.floor(clock.wallMs() / 1000);
    const lobby = new Lobby({ channel: demoChannel, random, firstHit });
    return runFeed({
      next: () => lobby.next(),
      periodMs: lobbyPeriodMs,
      send: (messages) => this.#sender.sendAll(messages),
      ready: () => this.#ready && this.#sender.connected,
      sleep: (ms) => this.#sleep(ms),
      monotonicMs: () => clock.monotonicMs(),
      stopped: () => this.#stopping.signal.aborted,
      observe: ({ notKept, unknown }) => {
        const lost = notKept + unknown;
        if (lost === 0) return;
        lobby.sayAll();
        this.#logDemo((suppressed) => logger.warn({ lost, suppressed }, 'demo messages lost'));
      },
    });
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}
