// The load, a process of its own: opens clients at a pace, makes some of them stick, samples delivery latency.
// Talks to the bench over IPC; it decides nothing.
import { LoadClient } from './load-client.ts';

/** What the bench asks for. */
export type LoadOrder =
  | {
      readonly order: 'open';
      readonly host: string;
      readonly port: number;
      readonly paths: readonly string[];
      /** Connects a second. */
      readonly pace: number;
      /** Every n-th client is sampled. */
      readonly sampleEvery: number;
      readonly greeting?: string | undefined;
      readonly extensions?: string | undefined;
    }
  | { readonly order: 'stick'; readonly clients: number }
  | { readonly order: 'reset' }
  | { readonly order: 'report' }
  | { readonly order: 'end' };

/** What it answers to `report`. */
export interface LoadReport {
  readonly open: number;
  readonly closed: number;
  readonly failed: number;
  readonly frames: number;
  readonly bytes: number;
  /** Publish to receive, in milliseconds, of the sampled clients that read. */
  readonly latenciesMs: readonly number[];
}

const STEP_MS = 20;
const MAX_SAMPLES = 200_000;
const counts = { open: 0, closed: 0, failed: 0, frames: 0, bytes: 0 };
const clients: LoadClient[] = [];
let latenciesMs: number[] = [];

function sample(payload: Buffer): void {
  const text = payload.toString('latin1', 0, 4_096);
  const at = text.indexOf('"at":');
  if (at < 0 || latenciesMs.length >= MAX_SAMPLES) return;
  latenciesMs.push(
    performance.timeOrigin + performance.now() - Number.parseFloat(text.slice(at + 5, at + 25)),
  );
}

async function open(order: Extract<LoadOrder, { order: 'open' }>): Promise<void> {
  const perStep = Math.max(1, Math.round((order.pace * STEP_MS) / 1000));
  const { host, port, paths, sampleEvery, greeting, extensions } = order;
  for (let i = 0; i < paths.length; i += perStep) {
    for (const [k, path] of paths.slice(i, i + perStep).entries()) {
      const sampled = (i + k) % sampleEvery === 0 ? sample : undefined;
      clients.push(new LoadClient({ host, port, path, counts, sample: sampled, greeting, extensions }));
    }
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
  process.send?.({ opened: paths.length });
}

process.on('message', (order: LoadOrder) => {
  if (order.order === 'open') void open(order);
  // From the end, and never a sampled one: what is measured are those that read.
  else if (order.order === 'stick') for (const client of clients.slice(-order.clients)) client.stick();
  else if (order.order === 'reset') {
    latenciesMs = [];
    counts.frames = 0;
    counts.bytes = 0;
  } else if (order.order === 'report') process.send?.({ ...counts, latenciesMs } satisfies LoadReport);
  else process.exit(0);
});
process.on('disconnect', () => process.exit(0));
