// The publisher: HTTP -> parse -> send -> NATS, and the demo feed. It only connects the stages.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSubjects, streamDefinitions } from '@weir/protocol';
import type { Clock, Logger, NatsLink } from '@weir/runtime';
import { ensureStreams } from '@weir/runtime';
import type { PublisherConfig } from './config.ts';
import { LOBBY_STEP_MS, Lobby } from './demo/lobby.ts';
import { MessageRate } from './ingest/rate.ts';
import { createIngest } from './ingest/server.ts';
import type { PublisherMetrics } from './metrics.ts';
import { parseBatch } from './parse/parse-batch.ts';
import { makeMessage } from './parse/parse-message.ts';
import { Sender } from './send/sender.ts';
import { natsTransport } from './send/transport.ts';

const RETRY_MS = 2_000;

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #sender: Sender;
  readonly #server: Server;
  readonly #lobby = new Lobby(Math.random);
  #demo: NodeJS.Timeout | undefined;
  #port = 0;
  #ready = false;
  #stopped = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    const { config, link, clock, metrics } = options;
    this.#sender = new Sender({
      transport: natsTransport(link),
      subjects: createSubjects(config.subjectPrefix),
      ackTimeoutMs: config.ackTimeoutMs,
      maxInFlight: config.maxInFlight,
      clock,
      observe: ({ lane, outcome, bytes, tookMs }) => metrics().sent(lane, outcome.kind, bytes, tookMs),
    });
    const limits = { perSecond: config.messagesPerSecond, burst: config.messageBurst };
    const rate = new MessageRate(limits, clock.monotonicMs());
    this.#server = createIngest({
      apiKeys: config.apiKeys ?? [],
      maxBodyBytes: config.maxBodyBytes,
      maxRequests: config.maxRequests,
      bodyTimeoutMs: config.bodyTimeoutMs,
      connected: () => this.#ready && link.connected,
      parse: (body, format) => parseBatch(body, { format, maxMessages: config.maxBatch }),
      send: (messages) => this.#sender.sendAll(messages),
      take: (messages) => rate.take(messages, clock.monotonicMs()),
      onInvalid: () => metrics().invalid(),
      onRefused: (reason) => metrics().refused(reason),
    });
  }

  get inFlight(): number {
    return this.#sender.inFlight;
  }

  /** Streams are there and the port is open. NATS being away later does not make it unready: it says 503 in words. */
  get ready(): boolean {
    return this.#ready && this.#port > 0;
  }

  /** Begins to listen; resolves with the port. The streams are made as soon as NATS is there. */
  async start(): Promise<number> {
    const { config } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: config.host, port: config.port }, () => resolve());
    });
    this.#port = (this.#server.address() as AddressInfo).port;
    void this.#prepare();
    return this.#port;
  }

  /** Lets the requests that are under way end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#demo);
    this.#server.closeIdleConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #prepare(): Promise<void> {
    const { config, link, logger } = this.#options;
    const definitions = streamDefinitions(createSubjects(config.subjectPrefix), {
      criticalMaxAgeMs: config.criticalMaxAgeMs,
      criticalMaxPerChannel: config.criticalMaxPerChannel,
      maxBytes: config.streamMaxBytes,
      replicas: config.streamReplicas,
    });
    while (!this.#stopped && !this.#ready) {
      try {
        const connection = await link.ready();
        await ensureStreams({ connection, streams: [definitions.state, definitions.critical], logger });
        this.#ready = true;
      } catch (err) {
        if (this.#stopped) return;
        logger.error({ err }, 'streams cannot be prepared');
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    if (config.demo === 'lobby' && !this.#stopped) this.#startDemo();
  }

  #startDemo(): void {
    let busy = false;
    this.#demo = setInterval(() => {
      // A step that is not through yet is not overtaken: the feed slows down with NATS.
      if (busy || !this.#sender.connected) return;
      busy = true;
      this.#demoStep().finally(() => {
        busy = false;
      });
    }, LOBBY_STEP_MS);
  }

  async #demoStep(): Promise<void> {
    const messages = this.#lobby.step().flatMap(({ data, ...address }) => {
      const parsed = makeMessage({
        ...address,
        data: data === undefined ? undefined : Buffer.from(JSON.stringify(data)),
      });
      return 'value' in parsed ? [parsed.value] : [];
    });
    await this.#sender.sendAll(messages);
  }
}

export interface PublisherOptions {
  readonly config: PublisherConfig;
  readonly link: NatsLink;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: () => PublisherMetrics;
}
