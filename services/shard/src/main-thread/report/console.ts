// What a shard does for the console of control: it tells its figures when it is asked, and drains when it is told to.
// Neither touches the data path: figures are read as a scrape reads them.
import { encodeDrainAnswer, FIGURE_NAMES, tellFigures } from '@weir/fleet';
import { createSubjects, isInbox } from '@weir/protocol';
import type { ServiceParts } from '@weir/runtime';
import { readSeries, WEIR_VERSION } from '@weir/runtime';
import type { ShardConfig } from '../../config.ts';
import { poolDefaults } from '../../config.ts';

export interface ConsoleOptions extends ServiceParts<ShardConfig> {
  readonly draining: () => boolean;
  /** Ends the process as SIGTERM does: what supervises it starts it again. */
  readonly end: () => void;
}

export function serveConsole(o: ConsoleOptions): void {
  const { config, link, registry, logger } = o;
  const subjects = createSubjects(config.subjectPrefix);
  const { tickMs, softBytes, hardBytes, lagMs } = poolDefaults(config);
  const { stateMaxKeys, stateMaxBytes } = config;
  const limits = { tickMs, softBytes, hardBytes, lagMs, stateMaxKeys, stateMaxBytes };
  tellFigures(o, {
    subject: subjects.figures,
    own: { service: 'shard', id: config.shardId, version: WEIR_VERSION, limits },
    upMs: () => process.uptime() * 1_000,
    series: () => readSeries(registry, FIGURE_NAMES.shard),
  });
  const drain = (error: Error | null, { reply }: { readonly reply?: string }): void => {
    if (error !== null || reply === undefined || !isInbox(reply)) return;
    const accepted = !o.draining();
    link.publish(reply, encodeDrainAnswer(accepted));
    if (!accepted) return;
    logger.warn('drains, because a console asked');
    o.end();
  };
  link.ready().then(
    (connection) => connection.subscribe(subjects.drain(config.shardId), { callback: drain }),
    // NATS was closed before it was ever connected: the process is ending.
    () => undefined,
  );
}
