// Recordings as their sources publish them, replayed by the command alone: a betting stream, an exchange's trades, a
// receiver of aircraft. A client that was there and a client that comes later have the last record of each key.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { connect } from '@weir/client';
import { unescapeKey } from '@weir/client/keys.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

const program = fileURLToPath(new URL('../../../services/publisher/bin/weir-publish.mjs', import.meta.url));
const records = 1_000;
let cluster: SmallCluster;
let folder: string;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  await cluster.shard('desktop', 'desktop-1');
  folder = await mkdtemp(join(tmpdir(), 'weir-feeds-'));
});
afterAll(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true });
});

const numbered = (line: (i: number) => string): readonly string[] =>
  Array.from({ length: records }, (_, i) => line(i));
const pick = (from: readonly string[], i: number): string =>
  from[(Math.imul(i + from.length, 0x9e3779b1) >>> 8) % from.length] ?? '';
const pad = (n: number, digits: number): string => String(n).padStart(digits, '0');

/** Betfair's stream: some records are heartbeats without a market, and one has an empty list. */
const betting = numbered((i) => {
  const head = `{"op":"mcm","clk":"AKABAI4${i}","pt":${1_650_392_673_420 + i * 50}`;
  if (i % 100 === 7) return `${head},"ct":"HEARTBEAT"}`;
  if (i === 500) return `${head},"mc":[]}`;
  const id = `1.${pick(['197931750', '200806927', '181223995'], i)}`;
  return `${head},"mc":[{"id":"${id}","rc":[{"atb":[[8.8,${i}.62]],"ltp":1.0,"id":4293096}],"con":true}]}`;
});

/** Trades of several exchanges with microseconds; some have no id, or one with quotes. */
const symbols = ['BTCUSDT', 'BTC-27DEC24-100000-C', 'XBT/EUR', 'tBTCF0:USTF0', 'BRK.B', 'MATIC USD', '^GSPC'];
const trades = numbered((i) => {
  const id = pick(['', `"2b7d,${i}"`, String(1_000_000_000 + i)], i);
  return `deribit,${pick(symbols, i)},${1_733_011_200_013_000 + i * 900},${id},buy,${i}.10,0.${pad(i, 10)}`;
});
const tradeColumns = ['exchange', 'symbol', 'timestamp', 'id', 'side', 'price', 'amount'];

/** What dump1090 writes to port 30003: no names of columns, dates and times apart, blanks, leading zeros, CRLF. */
const aircraftColumns =
  'msg,type,session,aircraft,hex,flight,day,time,logged_day,logged_time,callsign,altitude,speed,track,lat,lon,climb,squawk,alert,emergency,spi,ground'.split(
    ',',
  );
const aircraft = numbered((i) => {
  const at = `2026/11/29,21:00:${pad(i % 60, 2)}.${pad(i, 3)}`;
  const values = pick(
    [
      'DLH 4T  ,,,,,,,,,,,0',
      `,${i}00,,,51.${pad(i, 5)},-0.45430,,,0,0,0,0`,
      `,,${i},359,,,-64,,,,,0`,
      `,,,,,,,0${i % 8}21,0,0,0,0`,
    ],
    i,
  );
  return `MSG,3,1,1,${pick(['4CA8E4', '000123', '406123', '3E1234'], i)},1,${at},${at},${values}`;
});

/** The last record of each key, read without the product's code. */
function lastOf<T>(lines: readonly string[], key: (record: T) => string, read: (line: string) => T) {
  return new Map(lines.map((line) => read(line)).map((record) => [key(record), record]));
}

type Row = Readonly<Record<string, unknown>>;

function row(names: readonly string[]): (line: string) => Row {
  return (line) => {
    // A cell in quotes may have commas; none has quotes in it.
    const cells = line.match(/("[^"]*"|[^,]*)(?:,|$)/g)?.map((cell) => cell.replace(/,$/, '')) ?? [];
    return Object.fromEntries(names.map((name, at) => [name, cellValue(cells[at] ?? '')]));
  };
}

function cellValue(cell: string): unknown {
  if (cell === '') return null;
  if (cell.startsWith('"')) return cell.slice(1, -1);
  const isNumber = cell === '0' || /^-?(0\.|[1-9])[0-9.]*$/.test(cell);
  return isNumber ? Number(cell) : cell;
}

interface Market {
  readonly mc?: readonly [{ readonly id: string }] | readonly [];
}

it.each([
  {
    feed: 'betting',
    bytes: gzipSync(betting.join('\n')),
    flags: ['--key', '.mc[0].id', '--t', '.pt', '--speed', '50', '--skip-bad'],
    last: lastOf<Market>(
      betting.filter((line) => line.includes('"id"')),
      ({ mc }) => String(mc?.[0]?.id),
      (line) => JSON.parse(line),
    ),
    report: '989 messages',
  },
  {
    feed: 'trades',
    bytes: [tradeColumns.join(','), ...trades].join('\n'),
    flags: ['--csv', '--key', '.symbol', '--t', '.timestamp', '--unit', 'us'],
    last: lastOf<Row>(trades, ({ symbol }) => String(symbol), row(tradeColumns)),
    report: '1,000 messages',
  },
  {
    feed: 'aircraft',
    bytes: aircraft.map((line) => `${line}\r\n`).join(''),
    flags: ['--columns', aircraftColumns.join(','), '--key', '.hex', '--rate', '1000'],
    last: lastOf<Row>(aircraft, ({ hex }) => String(hex), row(aircraftColumns)),
    report: '1,000 messages',
  },
])('$feed arrive equal', async ({ feed, bytes, flags, last, report }) => {
  const open = () => connect({ url: cluster.routerUrl, channels: [feed], WebSocket });
  const has = (client: ReturnType<typeof open>) =>
    new Map([...client.channel(feed).state].map(([key, value]) => [unescapeKey(key), value]));
  const early = open();
  await until(() => early.status === 'open', 'the first client is served');
  const path = join(folder, feed);
  await writeFile(path, bytes);
  const child = spawn(process.execPath, [program, 'replay', path, '--channel', feed, ...flags], {
    env: { ...process.env, WEIR_NATS_URL: cluster.nats.url, FORCE_COLOR: '0' },
  });
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += String(chunk);
  });
  const [code] = await once(child, 'close');
  expect([code, err]).toEqual([0, expect.stringContaining(report)]);
  const late = open();
  for (const client of [early, late]) {
    await until(() => isDeepStrictEqual(has(client), last), `it has the last of ${last.size} keys`);
    client.close();
  }
});
