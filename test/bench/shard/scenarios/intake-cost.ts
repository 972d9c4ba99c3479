// The cost of a fleet of shards for the NATS server: the same messages delivered to several intakes by ordered
// consumers, by a stream's republish, and by republish to intakes that want part of the channels. Streams and messages
// are the same; the cost of storing alone is measured too, and subtracted.
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { startNatsServer } from '@weir/local';
import { CountingProcess } from '../counting-process.ts';
import type { IntakeWay } from '../intake-process.ts';
import { cpuSeconds } from '../process-usage.ts';
import type { Goal, Row, Scenario } from '../scenario.ts';
import { goal, median, round, sleep } from '../scenario.ts';

const PER_SECOND = 5_000;
const KEYS = 5_000;
const CHANNELS = 50;
const WANTED = 5;
const BYTES = 200;
const SETTLE_MS = 2_000;

interface Way {
  readonly name: string;
  readonly prefix: 'plain' | 'again';
  /** Absent for the stream alone. */
  readonly way?: IntakeWay;
}

const ways: readonly Way[] = [
  { name: 'stream alone', prefix: 'plain' },
  { name: 'ordered consumers', prefix: 'plain', way: 'ordered' },
  { name: 'stream with republish alone', prefix: 'again' },
  { name: 'republish, all channels', prefix: 'again', way: 'republish' },
  { name: `republish, ${WANTED} of ${CHANNELS} channels`, prefix: 'again', way: 'wanted' },
];

interface Window {
  readonly published: number;
  readonly delivered: number;
  readonly natsCpu: number;
  readonly intakeCpu: number;
  readonly seconds: number;
}

export const intakeCost: Scenario = {
  about: 'CPU of the NATS server for 5,000 messages a second to a fleet (--clients is the number of intakes)',
  full: { clients: 20, seconds: 10, rounds: 5 },
  quick: { clients: 4, seconds: 3, rounds: 1 },
  run: async ({ clients, seconds, rounds, say }) => {
    const server = await startNatsServer();
    const nats = await connect({ servers: server.url });
    try {
      const manager = await jetstreamManager(nats);
      for (const prefix of ['plain', 'again']) {
        await manager.streams.add({
          name: prefix,
          subjects: [`${prefix}.state.>`],
          max_msgs_per_subject: 1,
          allow_direct: true,
          ...(prefix === 'again'
            ? { republish: { src: `${prefix}.state.>`, dest: `${prefix}.live.state.>` } }
            : {}),
        });
      }
      const windows = ways.map((): Window[] => []);
      for (let r = 0; r < rounds; r++) {
        for (const [i, way] of ways.entries()) {
          const window = await measureWay(way, {
            url: server.url,
            natsPid: server.pid ?? 0,
            intakes: clients,
            seconds,
          });
          windows[i]?.push(window);
          say(
            `round ${r + 1} of ${rounds}: ${way.name}: ${round((window.natsCpu / window.seconds) * 100, 0)} % of a core, ${round(window.delivered / window.seconds, 0)} deliveries/s`,
          );
        }
      }
      return {
        rows: ways.map((way, i) => rowOf(way, windows[i] ?? [], windows)),
        goals: goalsOf(windows, clients),
      };
    } finally {
      await nats.close();
      await server.stop();
    }
  },
};

async function measureWay(
  { prefix, way }: Way,
  o: { readonly url: string; readonly natsPid: number; readonly intakes: number; readonly seconds: number },
): Promise<Window> {
  const publisher = new CountingProcess('publisher-process', [
    o.url,
    prefix,
    PER_SECOND,
    KEYS,
    CHANNELS,
    BYTES,
  ]);
  const intakes =
    way === undefined
      ? undefined
      : new CountingProcess('intake-process', [o.url, way, o.intakes, prefix, prefix, CHANNELS, WANTED]);
  try {
    await publisher.ready();
    publisher.say('play');
    await intakes?.ready();
    await sleep(SETTLE_MS);
    const startMs = performance.now();
    const before = {
      published: await publisher.count(),
      delivered: (await intakes?.count()) ?? 0,
      nats: cpuSeconds(o.natsPid),
      intakes: intakes === undefined ? 0 : cpuSeconds(intakes.pid),
    };
    await sleep(o.seconds * 1000);
    return {
      natsCpu: cpuSeconds(o.natsPid) - before.nats,
      intakeCpu: intakes === undefined ? 0 : cpuSeconds(intakes.pid) - before.intakes,
      published: (await publisher.count()) - before.published,
      delivered: ((await intakes?.count()) ?? 0) - before.delivered,
      seconds: (performance.now() - startMs) / 1000,
    };
  } finally {
    await publisher.end();
    await intakes?.end();
  }
}

/** CPU of a delivery, without the cost of storing (and republishing) messages for no listener. */
function perDeliveryUs(windows: readonly (readonly Window[])[], i: number): number {
  const alone =
    windows[ways.findIndex(({ prefix, way }) => prefix === ways[i]?.prefix && way === undefined)] ?? [];
  return median(
    (windows[i] ?? []).map((window, r) => {
      const base = alone[r];
      const storing = base === undefined ? 0 : (base.natsCpu / base.published) * window.published;
      return ((window.natsCpu - storing) / window.delivered) * 1e6;
    }),
  );
}

function rowOf(way: Way, own: readonly Window[], windows: readonly (readonly Window[])[]): Row {
  const of = (read: (window: Window) => number): number => median(own.map(read));
  const i = ways.indexOf(way);
  return {
    way: way.name,
    'published/s': round(
      of(({ published, seconds }) => published / seconds),
      0,
    ),
    'delivered/s': round(
      of(({ delivered, seconds }) => delivered / seconds),
      0,
    ),
    'nats cpu %': round(
      of(({ natsCpu, seconds }) => (natsCpu / seconds) * 100),
      1,
    ),
    'nats µs/published': round(
      of(({ natsCpu, published }) => (natsCpu / published) * 1e6),
      1,
    ),
    'nats µs/delivery': way.way === undefined ? '' : round(perDeliveryUs(windows, i)),
    'intake µs/delivery':
      way.way === undefined ? '' : round(of(({ intakeCpu, delivered }) => (intakeCpu / delivered) * 1e6)),
  };
}

function goalsOf(windows: readonly (readonly Window[])[], intakes: number): readonly Goal[] {
  const [, ordered = [], , republish = []] = windows;
  const delivered = (all: readonly Window[]): number =>
    median(all.map((window) => window.delivered / (window.published * intakes)));
  return [
    goal(
      'CPU a delivery by ordered consumers, against republish',
      perDeliveryUs(windows, 1) / perDeliveryUs(windows, 3),
      'at least',
      1,
    ),
    goal('part of the messages delivered by ordered consumers', delivered(ordered), 'at least', 0.95),
    goal('part of the messages delivered by republish', delivered(republish), 'at least', 0.95),
  ];
}
