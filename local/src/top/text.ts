// The shards of a cluster as lines of a terminal, from what a console says. Pure.
import { shortBytes, shortMilliseconds } from '../terminal/amounts.ts';

/** The part of a console's view that is shown. */
export interface TopView {
  readonly atMs: number;
  readonly nats: string;
  readonly total: {
    readonly clients: number;
    readonly shards: number;
    readonly publishedPerSecond: number;
    readonly framesPerSecond: number;
    readonly bytesPerSecond: number;
    readonly lag95Ms?: number | undefined;
  };
  readonly findings: readonly { readonly level: string; readonly text: string }[];
  readonly pools: readonly {
    readonly pool: string;
    readonly clients: number;
    readonly backlogBytes: number;
  }[];
  readonly shards: readonly TopShard[];
}

interface TopShard {
  readonly shard: string;
  readonly pool: string;
  readonly clients: number;
  readonly capacity: number;
  readonly backlogBytes: number;
  readonly bytesPerSecond: number;
  readonly framesPerSecond: number;
  /** 0 to 1. */
  readonly loop: number;
  readonly lateMs: number;
  readonly lagMs?: number;
  readonly draining: boolean;
  readonly stale: boolean;
  readonly ready: boolean;
}

const COLUMNS: readonly (readonly [title: string, of: (shard: TopShard) => string])[] = [
  ['SHARD', ({ shard }) => shard],
  ['POOL', ({ pool }) => pool],
  ['STATE', stateOf],
  ['CLIENTS', ({ clients, capacity }) => `${clients}/${capacity}`],
  ['FRAMES/S', ({ framesPerSecond }) => String(Math.round(framesPerSecond))],
  ['BYTES/S', ({ bytesPerSecond }) => shortBytes(bytesPerSecond)],
  ['BACKLOG', ({ backlogBytes }) => shortBytes(backlogBytes)],
  ['LAG 95%', ({ lagMs }) => shortMilliseconds(lagMs)],
  ['LOOP', ({ loop }) => `${Math.round(loop * 100)}%`],
  ['LATE', ({ lateMs }) => shortMilliseconds(lateMs)],
];
/** These columns are words; the others are numbers, which stand on the right. */
const WORDS = 3;

/** Lines that fit into a terminal: the cluster, what is wrong, and as many shards as there is room for. */
export function topText(
  view: TopView,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string {
  const { total, findings } = view;
  const head = [
    `${new Date(view.atMs).toTimeString().slice(0, 8)}  ${total.clients} clients on ${total.shards} shards  published ${Math.round(total.publishedPerSecond)}/s  frames ${Math.round(total.framesPerSecond)}/s  ${shortBytes(total.bytesPerSecond)}/s  lag 95% ${shortMilliseconds(total.lag95Ms)}${view.nats === 'away' ? '  NATS IS AWAY' : ''}`,
    ...findings.slice(0, 5).map(({ level, text }) => `${level === 'bad' ? '!!' : ' !'} ${text}`),
    '',
  ];
  const room = Math.max(1, rows - head.length - 2);
  const shown = view.shards.slice(0, room);
  const more = view.shards.length - shown.length;
  const lines = [...head, ...table(shown), ...(more > 0 ? [`and ${more} more`] : [])];
  // A terminal obeys control characters, and what is shown came from elsewhere.
  return lines.map((line) => line.replace(/\p{Cc}/gu, '.').slice(0, columns)).join('\n');
}

function table(shards: readonly TopShard[]): readonly string[] {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...shards.map((shard) => COLUMNS.map(([, of]) => of(shard))),
  ];
  const widths = COLUMNS.map((_, place) => Math.max(...rows.map((row) => row[place]?.length ?? 0)));
  const cell = (text: string, place: number): string => {
    const width = widths[place] ?? 0;
    return place < WORDS ? text.padEnd(width) : text.padStart(width);
  };
  return rows.map((row) => row.map(cell).join('  ').trimEnd());
}

function stateOf({ draining, stale, ready }: TopShard): string {
  if (draining) return 'drains';
  if (stale) return 'no NATS';
  return ready ? 'serves' : 'not ready';
}
