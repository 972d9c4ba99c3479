// The load in its own process: opens clients at a pace, makes some of them stuck, samples the data of others.
// Talks to the bench over IPC, one answer an order; it decides nothing.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoadCounts } from './load-client.ts';
import { LoadClient } from './load-client.ts';
import type { SampleReport } from './samples.ts';
import { Samples } from './samples.ts';

/** An order of the bench. */
export type LoadOrder =
  | {
      readonly order: 'open';
      readonly host: string;
      readonly port: number;
      readonly paths: readonly string[];
      /** Connects a second. */
      readonly pace: number;
      /** Every n-th client is sampled; 0 for none. */
      readonly sampleEvery: number;
      readonly greeting?: string | undefined;
      readonly extensions?: string | undefined;
      readonly stuck?: boolean | undefined;
    }
  | { readonly order: 'stick'; readonly clients: number }
  | { readonly order: 'dismissStuck' }
  | { readonly order: 'reset' }
  /** With `brief`, without the many single latencies. */
  | { readonly order: 'report'; readonly brief: boolean };

/** The answer to `report`. */
export interface LoadReport extends Readonly<LoadCounts>, SampleReport {
  /** p99 of this process's own event-loop delay: latencies below it mean nothing. */
  readonly loopMs: number;
}

const STEP_MS = 20;
/**
 * The process sleeps by the clock, not on its sockets. A sender on the same machine pays for waking a receiver that
 * sleeps on a socket, a cost that remote clients never cause. Measurements are late by at most this time.
 */
const NAP_MS = 2;
const MUMBLE_MS = 2_000;
const counts: LoadCounts = { open: 0, closed: 0, stuckClosed: 0, failed: 0, frames: 0, bytes: 0 };
const samples = new Samples();
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
let clients: LoadClient[] = [];

async function open(order: Extract<LoadOrder, { order: 'open' }>): Promise<void> {
  const perStep = Math.max(1, Math.round((order.pace * STEP_MS) / 1000));
  const { host, port, paths, sampleEvery, greeting, extensions, stuck } = order;
  const settled = (): number => counts.open + counts.closed + counts.stuckClosed + counts.failed + left;
  const want = settled() + paths.length;
  for (let i = 0; i < paths.length; i += perStep) {
    for (const [k, path] of paths.slice(i, i + perStep).entries()) {
      const sampled = sampleEvery > 0 && (i + k) % sampleEvery === 0;
      const sample = sampled ? samples.client() : undefined;
      clients.push(new LoadClient({ host, port, path, counts, sample, greeting, extensions, stuck }));
    }
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
  while (settled() < want) await new Promise((resolve) => setTimeout(resolve, STEP_MS));
}

/** Dismissed clients: they are neither open nor closed. */
let left = 0;

function dismissStuck(): void {
  for (const client of clients) {
    if (!client.stuck || client.ended) continue;
    client.leave();
    left++;
  }
  clients = clients.filter((client) => !client.ended);
}

function reset(): void {
  samples.reset();
  delay.reset();
  counts.frames = 0;
  counts.bytes = 0;
}

/** Takes clients from the end, where none is sampled: the samples must come from clients that read. */
function stick(howMany: number): void {
  let rest = howMany;
  for (let i = clients.length - 1; i >= 0 && rest > 0; i--) {
    const client = clients[i];
    if (client === undefined || client.stuck || client.ended) continue;
    client.stick();
    rest--;
  }
}

async function obey(order: LoadOrder): Promise<LoadReport | undefined> {
  if (order.order === 'open') await open(order);
  else if (order.order === 'stick') stick(order.clients);
  else if (order.order === 'dismissStuck') dismissStuck();
  else if (order.order === 'reset') reset();
  else return { ...counts, ...samples.report(order.brief), loopMs: delay.percentile(99) / 1e6 };
  return undefined;
}

const bed = new Int32Array(new SharedArrayBuffer(4));
function nap(): void {
  Atomics.wait(bed, 0, 0, NAP_MS);
  setImmediate(nap);
}

setImmediate(nap);
setInterval(() => {
  for (const client of clients) if (client.stuck) client.mumble();
}, MUMBLE_MS);
process.on('message', ({ id, order }: { id: number; order: LoadOrder }) => {
  void obey(order).then((answer) => process.send?.({ id, answer }));
});
process.on('disconnect', () => process.exit(0));
