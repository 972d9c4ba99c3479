// The command `demo`: its output and exit code.
import type { Turn } from '../demo/run-feed.ts';
import type { Publishing } from '../weir-publish.ts';
import { Signals } from './signals.ts';
import { tell } from './terminal.ts';

const counts = ['kept', 'duplicates', 'sent', 'notKept', 'unknown'] as const;

/** Plays until a signal comes; returns the exit code. */
export async function runDemo(publishing: Publishing, channel: string): Promise<number> {
  tell(`playing the lobby on channel ${channel} until Ctrl-C`);
  const signals = new Signals();
  const total = { turns: 0, kept: 0, duplicates: 0, sent: 0, notKept: 0, unknown: 0 };
  await publishing.demo({
    channel,
    stopping: signals.signal,
    turn: (turn) => {
      total.turns += 1;
      for (const name of counts) total[name] += turn[name];
      if (turn.notKept > 0) tell(`${turn.notKept} messages were not kept: NATS is away or refuses them`);
      if (turn.unknown > 0) tell(`${turn.unknown} messages were not acknowledged: they may be kept or not`);
    },
  });
  tell(demoText(total));
  return signals.exitCode ?? 0;
}

/** The totals of a demo; every message is counted once. */
export function demoText({ turns, ...total }: Turn & { readonly turns: number }): string {
  const rest = [
    ...(total.duplicates > 0 ? [`${total.duplicates} duplicates`] : []),
    ...(total.notKept > 0 ? [`${total.notKept} not kept`] : []),
    ...(total.unknown > 0 ? [`${total.unknown} not acknowledged`] : []),
  ];
  return `${turns} turns: ${[`${total.kept} kept`, `${total.sent} sent`, ...rest].join(', ')}`;
}
