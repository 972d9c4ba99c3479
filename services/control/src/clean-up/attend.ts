// Repeats the clean-up while this control leads: soon after a round that found more than it may remove, otherwise
// rarely.
import type { NatsConnection } from '@weir/runtime';
import type { CleanUpOptions, CleanupOutcome } from './clean-up.ts';
import { CleanUp } from './clean-up.ts';
import { JetStreamState } from './state-stream.ts';

export interface AttendOptions extends Omit<CleanUpOptions, 'stream'> {
  readonly connection: NatsConnection;
  readonly stream: string;
  readonly markSubject: string;
  readonly leading: () => boolean;
  readonly onRound: (outcome: CleanupOutcome, error?: unknown) => void;
}

const EVERY_MS = 60_000;
const SOON_MS = 1_000;
/** After this time an upgrade has replaced the shards of earlier releases, which would take removals for a purge. */
const FIRST_MS = 300_000;

/** Starts after that delay. */
export function startCleanUp(o: AttendOptions): { stop(): void } {
  const stream = new JetStreamState(o.connection, o.stream, o.markSubject);
  const cleanUp = new CleanUp({ ...o, stream });
  // A look more often than deletions age finds nothing.
  const everyMs = Math.max(SOON_MS, Math.min(EVERY_MS, o.afterMs));
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const round = async (): Promise<number> => {
    if (!o.leading()) return everyMs;
    try {
      const outcome = await cleanUp.round();
      o.onRound(outcome);
      return outcome === 'more' ? SOON_MS : everyMs;
    } catch (error) {
      if (!stopped) o.onRound('failed', error);
      return everyMs;
    }
  };
  const next = async (): Promise<void> => {
    const waitMs = await round();
    if (stopped) return;
    timer = setTimeout(() => void next(), waitMs);
    timer.unref();
  };
  timer = setTimeout(() => void next(), Math.min(FIRST_MS, o.afterMs));
  timer.unref();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
