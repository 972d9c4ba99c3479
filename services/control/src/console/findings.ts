// What is wrong now, in sentences: what it is, what it means for clients, and where to look. Pure. A sentence has no
// number that changes each second, so a screen reader says it once.
import type { LostShard } from './fleet-watch.ts';
import { clients } from './fleet-watch.ts';
import type { Counts, Finding, PoolView, ShardView, View } from './view.ts';

/** What the sentences are made from. */
export interface Facts
  extends Pick<
    View,
    'nats' | 'pools' | 'shards' | 'routers' | 'publishers' | 'streams' | 'rejected' | 'closes' | 'scalers'
  > {
  readonly lost: readonly LostShard[];
  /** Messages that the streams did not store, of the last minute. */
  readonly notStored: number;
  /** Clients that no router could place, of the last minute. */
  readonly notPlaced: number;
  /** Pools that had shards within the last hour. */
  readonly knownPools: readonly string[];
}

const fullRatio = 0.9;
const fillRatio = 0.8;
const busyLoop = 0.9;
const lateTickMs = 100;
const congestedRatio = 0.2;
const leastCongested = 5;
const leastCuts = 5;
const most = 20;

export function findings(facts: Facts): readonly Finding[] {
  if (facts.nats === 'away')
    return [
      {
        level: 'bad',
        text: 'NATS is away: control hears no shard, and the figures on this page are the last ones.',
        advice: 'Connected clients keep their connections and what they have; publishers get an error.',
        at: 'overview',
      },
    ];
  const found = [
    ...facts.lost.map(lostShard),
    ...poolFindings(facts),
    ...facts.shards.flatMap(shardFindings),
    ...versions(facts),
    ...streamFindings(facts),
    ...messageFindings(facts),
    ...routerFindings(facts),
    ...(facts.scalers ?? []).flatMap(({ pool, active, limited, why, current, max }): readonly Finding[] => {
      const at = 'scaling';
      if (!active)
        return [
          {
            level: 'warn',
            text: `The autoscaler of pool ${pool} cannot read its metrics.`,
            advice: why.join(' '),
            at,
          },
        ];
      if (limited && current >= max)
        return [
          {
            level: 'warn',
            text: `Pool ${pool} has as many shards as its autoscaler may start.`,
            advice: `Raise maxReplicas (${max}), or give each shard more room.`,
            at,
          },
        ];
      return [];
    }),
  ];
  const bad = found.filter(({ level }) => level === 'bad');
  return [...bad, ...found.filter(({ level }) => level === 'warn')].slice(0, most);
}

function lostShard({ shard, pool, clients: had, back }: LostShard): Finding {
  const text = `Shard ${shard} of pool ${pool} ended without a drain. It had ${clients(had)}.`;
  return back
    ? {
        level: 'warn',
        text: `${text} It is back.`,
        advice: 'Its log or its pod says why it ended.',
        at: 'shards',
      }
    : {
        level: 'bad',
        text,
        advice:
          'They reconnect to the other shards of the pool and resume. Its log or its pod says why it ended.',
        at: 'shards',
      };
}

function poolFindings({ pools, knownPools }: Facts): readonly Finding[] {
  const at = 'shards';
  const gone = knownPools.filter((name) => !pools.some(({ pool }) => pool === name));
  return [
    ...gone.map(
      (pool): Finding => ({
        level: 'bad',
        text: `Pool ${pool} has no shard.`,
        advice: 'Routers send its clients to another pool as long as one has room.',
        at,
      }),
    ),
    ...pools.flatMap((one): readonly Finding[] => [...roomOf(one), ...congestionOf(one)]),
  ];
}

function roomOf({ pool, shards, serving, clients: has, capacity }: PoolView): readonly Finding[] {
  const at = 'shards';
  if (serving === 0)
    return [
      {
        level: 'bad',
        text: `No shard of pool ${pool} takes clients.`,
        advice: `Of ${shards}, each drains or is not ready: /readyz of a shard says why.`,
        at,
      },
    ];
  if (has >= capacity * fullRatio)
    return [
      {
        level: has >= capacity ? 'bad' : 'warn',
        text: `Pool ${pool} is nearly full: it holds at most ${capacity} clients.`,
        advice: 'Add shards. Clients that find no room go to another pool or are refused.',
        at,
      },
    ];
  return [];
}

function congestionOf({ pool, states, clients: has }: PoolView): readonly Finding[] {
  const held = states['congested'] ?? 0;
  if (held < leastCongested || held < has * congestedRatio) return [];
  return [
    {
      level: 'warn',
      text: `Many clients of pool ${pool} are held back: they get what they missed in one piece, later.`,
      advice:
        'Their networks, or this pool, do not keep up with what is published. See the lag and the backlog.',
      at: 'shards',
    },
  ];
}

function shardFindings({ shard, stale, ready, draining, loop, lateMs }: ShardView): readonly Finding[] {
  const at = 'shards';
  if (draining) return [];
  if (stale)
    return [
      {
        level: 'bad',
        text: `Shard ${shard} may serve less than was published.`,
        advice: 'It has lost NATS, or cannot read the streams.',
        at,
      },
    ];
  if (!ready)
    return [{ level: 'warn', text: `Shard ${shard} takes no clients.`, advice: 'Its /readyz says why.', at }];
  if (lateMs >= lateTickMs)
    return [
      {
        level: 'warn',
        text: `The ticks of shard ${shard} are late.`,
        advice: 'It lacks processor time: see its event loop.',
        at,
      },
    ];
  if (loop >= busyLoop)
    return [
      {
        level: 'warn',
        text: `Shard ${shard} is nearly always busy.`,
        advice: 'Add shards, or threads (WEIR_THREADS).',
        at,
      },
    ];
  return [];
}

function versions({ shards, routers, publishers }: Facts): readonly Finding[] {
  const found = [...new Set([...shards, ...routers, ...publishers].flatMap(({ version }) => version ?? []))];
  if (found.length < 2) return [];
  return [
    {
      level: 'warn',
      text: `Releases ${found.toSorted().join(' and ')} run side by side.`,
      advice: 'Usual while a rollout is under way.',
      at: 'shards',
    },
  ];
}

function streamFindings({ streams, notStored }: Facts): readonly Finding[] {
  const at = 'streams';
  return [
    ...streams.flatMap(({ stream, seen, fill }): readonly Finding[] => {
      if (!seen)
        return [
          {
            level: 'bad',
            text: `Control cannot see the stream ${stream}.`,
            advice: 'JetStream is away, or the stream was deleted: shards make it anew.',
            at,
          },
        ];
      if (fill < fillRatio) return [];
      return [
        {
          level: fill >= 0.95 ? 'bad' : 'warn',
          text: `The stream ${stream} is nearly full.`,
          advice:
            'A full state stream refuses new keys, a full critical stream forgets early: raise WEIR_STREAM_MAX_BYTES.',
          at,
        },
      ];
    }),
    ...(notStored > 0
      ? [
          {
            level: 'bad',
            text: 'The streams do not store everything that is published: messages are lost.',
            advice: 'Publish with acknowledgements, or more slowly (docs/publishing.md).',
            at,
          } as const,
        ]
      : []),
  ];
}

function messageFindings({ rejected, closes, pools }: Facts): readonly Finding[] {
  const at = 'messages';
  const reasons = recent(rejected).map(({ name }) => name);
  const has = pools.reduce((sum, one) => sum + one.clients, 0);
  const cuts = recent(closes).filter(({ name }) =>
    ['lag', 'hardBytes', 'cutOff', 'threadDied'].includes(name),
  );
  const count = cuts.reduce((sum, { minute }) => sum + minute, 0);
  return [
    ...(reasons.length > 0
      ? [
          {
            level: 'warn',
            text: `Publishers send messages that cannot be broadcast (${reasons.join(', ')}).`,
            advice: 'The table of rejected messages names their subjects.',
            at,
          } as const,
        ]
      : []),
    ...(count >= Math.max(leastCuts, has * 0.01)
      ? [
          {
            level: 'warn',
            text: `Shards close connections that do not keep up (${cuts.map(({ name }) => name).join(', ')}).`,
            advice:
              'These clients come back and resume. Many at once: a network, or the edge in front of the shards.',
            at,
          } as const,
        ]
      : []),
  ];
}

function routerFindings({ routers, notPlaced }: Facts): readonly Finding[] {
  const at = 'routers';
  return [
    ...(routers.length === 0
      ? [
          {
            level: 'warn',
            text: 'No router answers: without one no new client comes in.',
            advice: 'Connected clients are served on. Routers of earlier releases do not answer.',
            at,
          } as const,
        ]
      : []),
    ...(notPlaced > 0
      ? [
          {
            level: 'bad',
            text: 'Routers find no shard for some clients and refuse them.',
            advice: 'Add shards: those that are there are full, draining or not ready.',
            at,
          } as const,
        ]
      : []),
  ];
}

function recent(counts: Counts): Counts {
  return counts.filter(({ minute }) => minute > 0);
}

/** Steps that a warning must hold for: one late tick is nothing that is wrong. */
const steadySteps = 3;

/** Holds warnings back until they have been there for some steps. */
export class Steady {
  #seen: ReadonlyMap<string, number> = new Map();

  of(found: readonly Finding[]): readonly Finding[] {
    const before = this.#seen;
    this.#seen = new Map(found.map(({ text }) => [text, (before.get(text) ?? 0) + 1]));
    return found.filter(({ level, text }) => level === 'bad' || (this.#seen.get(text) ?? 0) >= steadySteps);
  }
}
