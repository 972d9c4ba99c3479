// What the console costs: 200 simulated shards that beat and answer with figures as real ones do, and 20 browsers that
// read every step. Processor time and memory are those of the process of control.
import { request } from 'node:http';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect } from '@nats-io/transport-node';
import { encodeBeat, encodeFigures } from '@weir/fleet';
import { createSubjects } from '@weir/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isFull, scale, seen } from '../../harness/scale.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { elapsed, metric, SmallCluster, until } from '../../harness/small-cluster.ts';
import { beatOf, figuresOf } from './simulated-shard.ts';

const SHARDS = 200;
const BROWSERS = 20;
const SECONDS = scale(20, 60);
const subjects = createSubjects();

let cluster: SmallCluster;
let control: Service;
let nats: NatsConnection;
let timer: NodeJS.Timeout;
let seconds = 0;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  control = await cluster.control({ WEIR_CONSOLE: 'true', WEIR_CONSOLE_PORT: '0' });
  nats = await connect({ servers: cluster.nats.url });
  const ids = Array.from({ length: SHARDS }, (_, i) => i);
  timer = setInterval(() => {
    seconds += 1;
    for (const i of ids) {
      const beat = beatOf(i, seconds);
      nats.publish(subjects.beat(beat.pool, beat.shard), encodeBeat(beat));
    }
  }, 1_000);
  nats.subscribe(subjects.figures, {
    callback: (_, { reply }) => {
      for (const i of ids) if (reply !== undefined) nats.publish(reply, encodeFigures(figuresOf(i, seconds)));
    },
  });
});

afterAll(async () => {
  clearInterval(timer);
  await nats?.close();
  await cluster?.stop();
});

// It asserts what something costs, so it wants a machine that does nothing else.
it.skipIf(!isFull)(
  `shows ${SHARDS} shards to ${BROWSERS} browsers for less than 5 % of a core and 150 MB`,
  {
    timeout: 300_000,
  },
  async () => {
    await until(async () => {
      const view = (await (await fetch(`${control.url}/api/view`)).json()) as {
        shards: { version?: string }[];
      };
      return view.shards.filter(({ version }) => version !== undefined).length === SHARDS;
    }, 'the console has the figures of every shard');
    const alone = await cost();
    let bytes = 0;
    const open = Array.from({ length: BROWSERS }, () => {
      const browser = request(`${control.url}/api/stream`, (response) => {
        response.on('data', (piece: Buffer) => {
          bytes += piece.length;
        });
      });
      browser.on('error', () => undefined); // the test ends it
      return browser;
    });
    for (const browser of open) browser.end();
    await until(
      async () => (await metric(control, 'weir_control_console_browsers')) === BROWSERS,
      'every browser looks',
    );
    bytes = 0;
    const looked = await cost();
    const each = Math.round(bytes / BROWSERS / SECONDS / 1_000);
    for (const browser of open) browser.destroy();
    seen('the console', {
      shards: SHARDS,
      browsers: BROWSERS,
      'percent of a core without browsers': alone.percent,
      'percent of a core': looked.percent,
      MB: looked.megabytes,
      'KB/s for a browser': each,
      'steps that were skipped': await metric(control, 'weir_control_console_skipped_steps_total'),
    });
    expect(looked.percent).toBeLessThan(5);
    expect(looked.megabytes).toBeLessThan(150);
    expect(each).toBeGreaterThan(1);
  },
);

/** Processor time of a while, by what the process itself says. */
async function cost(): Promise<{ readonly percent: number; readonly megabytes: number }> {
  const cpu = (): Promise<number> => metric(control, 'process_cpu_seconds_total');
  const [before, startMs] = [await cpu(), performance.now()];
  await elapsed(SECONDS * 1_000);
  const used = (await cpu()) - before;
  const percent = (used / (performance.now() - startMs)) * 100_000;
  const rss = await metric(control, 'process_resident_memory_bytes');
  return { percent: Math.round(percent * 100) / 100, megabytes: Math.round(rss / 1e6) };
}
