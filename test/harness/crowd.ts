// Starts processes full of SDK clients, adds up their health, and fetches each client's visits and messages.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ReconnectOptions } from '@weir/client';
import { end } from './end.ts';

export interface Member {
  /** Times of its visits to the router, since 1970. */
  readonly visitsAtMs: readonly number[];
  /** Data of critical messages, in order of arrival. */
  readonly got: readonly number[];
  readonly gaps: number;
  readonly state: Readonly<Record<string, number>>;
}

interface Health {
  readonly open: number;
  readonly losses: number;
  readonly leastGot: number;
}

type Said = Health | { readonly report: readonly Member[] };

const none: Health = { open: 0, losses: 0, leastGot: 0 };

export interface CrowdOptions {
  /** URL of the router. */
  readonly url: string;
  readonly channel: string;
  readonly size: number;
  readonly processes: number;
  /** Pause between two clients that join from one process. */
  readonly paceMs: number;
  readonly reconnect: ReconnectOptions;
}

export class Crowd {
  readonly size: number;
  readonly #children: readonly ChildProcess[];
  readonly #health: Health[];

  constructor({ processes, size, ...options }: CrowdOptions) {
    this.size = size;
    this.#health = Array.from({ length: processes }, () => none);
    this.#children = this.#health.map((_, at) => {
      const script = fileURLToPath(new URL('./crowd-process.mjs', import.meta.url));
      const child = fork(script, [JSON.stringify({ ...options, size: size / processes })], { execArgv: [] });
      child.on('message', (said: Said) => {
        if (!('report' in said)) this.#health[at] = said;
      });
      return child;
    });
  }

  get open(): number {
    return this.#sum('open');
  }

  /** Connections lost so far. */
  get losses(): number {
    return this.#sum('losses');
  }

  /** Critical messages that every client has at least. */
  get leastGot(): number {
    return Math.min(...this.#health.map(({ leastGot }) => leastGot));
  }

  async members(): Promise<readonly Member[]> {
    const reports = this.#children.map(
      (child) =>
        new Promise<readonly Member[]>((resolve) => {
          child.on('message', (said: Said) => {
            if ('report' in said) resolve(said.report);
          });
          child.send('report');
        }),
    );
    return (await Promise.all(reports)).flat();
  }

  async stop(): Promise<void> {
    for (const child of this.#children) await end(child, 'SIGKILL');
  }

  #sum(what: 'open' | 'losses'): number {
    return this.#health.reduce((sum, health) => sum + health[what], 0);
  }
}

export interface Visits {
  readonly all: number;
  /** Of the client with most visits. */
  readonly most: number;
  /** Share of all visits that fell into the busiest second. */
  readonly fullestSecond: number;
  /** Visits in each second, in order. */
  readonly bySecond: readonly number[];
}

/** The visits to the router from `sinceMs` on (since 1970). */
export function visitsSince(members: readonly Member[], sinceMs: number): Visits {
  const bySecond: number[] = [];
  let most = 0;
  let all = 0;
  for (const { visitsAtMs } of members) {
    const mine = visitsAtMs.filter((atMs) => atMs >= sinceMs);
    most = Math.max(most, mine.length);
    all += mine.length;
    for (const atMs of mine) {
      const second = Math.floor((atMs - sinceMs) / 1_000);
      bySecond[second] = (bySecond[second] ?? 0) + 1;
    }
  }
  const counts = Array.from(bySecond, (count) => count ?? 0);
  return { all, most, fullestSecond: Math.max(0, ...counts) / Math.max(1, all), bySecond: counts };
}
