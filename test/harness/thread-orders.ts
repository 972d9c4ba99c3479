// Gives orders to single threads of a shard and reads facts only they know, through a script loaded into each thread.
import { once } from 'node:events';
import type { Service } from './small-cluster.ts';

const script = `
  import { BroadcastChannel, isMainThread, workerData } from 'node:worker_threads';
  const channel = new BroadcastChannel('weir-test');
  if (isMainThread) process.on('message', (order) => channel.postMessage(order));
  channel.onmessage = ({ data }) => {
    if (isMainThread) {
      if ('sockets' in data) process.send(data);
      return;
    }
    if (data.thread !== workerData.index) return;
    if (data.order === 'die') throw new Error('told to');
    if (data.order === 'tell')
      channel.postMessage({ sockets: [...workerData.sockets], doorways: [...workerData.doorways] });
    const end = performance.now() + (data.ms ?? 0);
    while (performance.now() < end);
  };
  channel.unref();`;

/** Environment of a shard whose threads take orders. */
export const obedient: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import=data:text/javascript;base64,${Buffer.from(script).toString('base64')}`,
};

export interface ThreadOrder {
  readonly thread: number;
  readonly order: 'die' | 'block' | 'tell';
  /** How long to block. */
  readonly ms?: number;
}

export function orderThread({ process }: Service, order: ThreadOrder): void {
  process.send(order);
}

export interface Doors {
  /** Open sockets of each thread. */
  readonly sockets: readonly number[];
  /** 1 for each thread that accepts connections. */
  readonly doorways: readonly number[];
}

/** How a shard's clients are spread over its threads. */
export async function doorsOf(shard: Service, thread = 0): Promise<Doors> {
  const answer: Promise<readonly unknown[]> = once(shard.process, 'message');
  orderThread(shard, { thread, order: 'tell' });
  const [doors] = (await answer) as [Doors];
  return doors;
}
