// The process of a service, from the command line to the exit: configuration, log, metrics, NATS, admin server,
// signals. `create` returns the service itself.

import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { AdminOptions, AdminServer, Health } from '../admin.ts';
import { startAdmin } from '../admin.ts';
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import type { commonSettings } from '../config/common-settings.ts';
import { natsAccess } from '../config/common-settings.ts';
import type { LoadOptions } from '../config/load-config.ts';
import { loadConfig } from '../config/load-config.ts';
import type { ConfigOf, SettingsTable } from '../config/setting.ts';
import { createLogger } from '../logging/logger.ts';
import { createMetricsRegistry } from '../metrics/registry.ts';
import type { NatsLink } from '../nats/link.ts';
import { openNats } from '../nats/link.ts';
import { WEIR_VERSION } from '../version.ts';
import { announceListening, urlHost } from './announce.ts';
import { roomForSockets } from './open-files.ts';
import type { ShutdownHost, ShutdownStep } from './shutdown.ts';
import { runUntilSignal } from './shutdown.ts';

/** The parts of the process for a service. */
export interface ServiceParts<C> {
  readonly config: C;
  /** Sockets for clients that the limit of open files leaves; infinite without a limit. */
  readonly roomForClients: number;
  readonly link: NatsLink;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly clock: Clock;
}

/** The address of a service that listens. */
export interface Listening {
  /** The URL for its clients; without one the admin server is all there is. */
  readonly url?: string | undefined;
  /** Fields for the log line, such as the pool. */
  readonly about?: Readonly<Record<string, unknown>>;
}

/** A service as its process sees it. */
export interface Service extends Pick<AdminOptions, 'routes' | 'removals'> {
  /** Begins to listen; rejects with a sentence if it cannot. */
  start(): Promise<Listening>;
  health(): Health;
  /** The steps that end it, in this order. NATS and the admin server are closed after them. */
  readonly stops: readonly ShutdownStep[];
}

export interface RunOptions<T extends SettingsTable> extends LoadOptions<T> {
  /** Name of the NATS connection. Default: `weir-` and the service. */
  readonly natsName?: (config: ConfigOf<T>) => string;
  /** File descriptors that the service opens later, beside those of clients. */
  readonly otherFiles?: (config: ConfigOf<T>) => number;
  /** The same configuration within the sockets that there is room for; the same object if nothing changes. */
  readonly fit?: (config: ConfigOf<T>, roomForClients: number) => ConfigOf<T>;
  readonly create: (parts: ServiceParts<ConfigOf<T>>) => Service;
  /** Default: this process. */
  readonly host?: ShutdownHost;
  /** Default: a logger to stdout. */
  readonly logger?: Logger;
}

type CommonConfig = ConfigOf<typeof commonSettings>;

/** Runs the service until a signal; ends the process with a sentence if it cannot start. */
export async function runService<const T extends typeof commonSettings & SettingsTable>(
  options: RunOptions<T>,
): Promise<void> {
  const { service, host = process } = options;
  const asked = loadConfig(options);
  const common: CommonConfig = asked;
  const logger = options.logger ?? createLogger({ service, level: common.logLevel });
  try {
    const { config, roomForClients } = fitted(options, asked, logger);
    const registry = createMetricsRegistry({ service, version: WEIR_VERSION });
    const link = openNats({
      servers: common.natsUrl,
      name: options.natsName?.(config) ?? `weir-${service}`,
      ...natsAccess(common),
      logger,
      registry,
    });
    const parts = { config, roomForClients, link, logger, registry, clock: systemClock };
    const running = options.create(parts);
    const { url, about } = await running.start();
    const admin = await openAdmin(running, common, parts);
    const steps = [
      ...running.stops,
      { name: 'close NATS', run: () => link.close() },
      { name: 'close the admin server', run: () => admin.close() },
    ];
    runUntilSignal({ logger, deadlineMs: common.shutdownDeadlineMs, steps }, host);
    const adminUrl = `http://${urlHost(common.adminHost)}:${admin.port}`;
    logger.info({ url: url ?? adminUrl, admin: adminUrl, ...about }, 'listening');
    announceListening({ url: url ?? adminUrl, adminUrl });
  } catch (err) {
    // A port that is taken is one line, not a stack trace on stderr.
    logger.fatal({ err }, 'cannot start');
    host.exit(1);
  }
}

function openAdmin(
  running: Service,
  { adminHost: host, adminPort: port }: CommonConfig,
  { logger, registry }: Pick<AdminOptions, 'logger' | 'registry'>,
): Promise<AdminServer> {
  const { routes = {}, removals = {} } = running;
  const health = (): Health => running.health();
  return startAdmin({ host, port, health, routes, removals, logger, registry });
}

/** Lowers the limits of the configuration to the sockets that there is room for. */
function fitted<T extends SettingsTable>(
  { otherFiles, fit, table }: RunOptions<T>,
  asked: ConfigOf<T>,
  logger: Logger,
): { readonly config: ConfigOf<T>; readonly roomForClients: number } {
  if (fit === undefined) return { config: asked, roomForClients: Number.POSITIVE_INFINITY };
  const roomForClients = roomForSockets(otherFiles?.(asked));
  const config = fit(asked, roomForClients);
  const lowered = Object.entries(table).filter(([name]) => config[name] !== asked[name]);
  if (lowered.length > 0) {
    const values = Object.fromEntries(lowered.map(([name, { env }]) => [env, config[name]]));
    logger.warn({ settings: values }, 'the limit of open files lowers these settings');
  }
  return { config, roomForClients };
}
