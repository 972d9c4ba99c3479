// Recordings in foreign formats, replayed by the command alone: trades of an exchange, aircraft positions as CSV, a
// betting stream whose keys have dots. The streams have every record, byte for byte.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect } from '@nats-io/transport-node';
import { unescapeKey } from '@weir/client/keys.js';
import type { NatsServer } from '@weir/local';
import { startNatsServer } from '@weir/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../../services/publisher/bin/weir-publish.mjs', import.meta.url));
let server: NatsServer;
let nats: NatsConnection;
let folder: string;

beforeAll(async () => {
  server = await startNatsServer();
  nats = await connect({ servers: server.url });
  folder = await mkdtemp(join(tmpdir(), 'weir-unprepared-'));
});
afterAll(async () => {
  await nats.close();
  await server.stop();
  await rm(folder, { recursive: true });
});

async function replay(name: string, bytes: string | Buffer, flags: readonly string[], natsUrl = server.url) {
  const path = join(folder, name);
  await writeFile(path, bytes);
  const env = { ...process.env, WEIR_NATS_URL: natsUrl, FORCE_COLOR: '0' };
  const child = spawn(process.execPath, [program, 'replay', path, ...flags], { env });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    err += String(chunk);
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}

/** The newest value of each key of a channel; keys as text. */
async function stateOf(channel: string): Promise<Readonly<Record<string, string>>> {
  const manager = await jetstreamManager(nats);
  const prefix = `weir.state.${channel}.`;
  const info = await manager.streams.info('WEIR_STATE', { subjects_filter: `${prefix}>` });
  const state: Record<string, string> = {};
  for (const subject of Object.keys(info.state.subjects ?? {})) {
    const last = await manager.streams.getMessage('WEIR_STATE', { last_by_subj: subject });
    state[unescapeKey(subject.slice(prefix.length))] = last?.string() ?? '';
  }
  return state;
}

describe('weir-publish replay', () => {
  it('plays trades with nanoseconds and numbers unchanged', async () => {
    const trades = Array.from(
      { length: 200 },
      (_, i) =>
        `{"e":"trade","sym":"${['BTC-USD', 'EUR/USD', 'é'][i % 3]}","px":${i}.10,"ts":${1_700_000_000n * 1_000_000_000n + BigInt(i) * 1_000_000n}}`,
    );
    const flags = ['--key', '.sym', '--channel', 'trades', '--t', '.ts', '--unit', 'ns', '--speed', '10'];
    const { code, err } = await replay('trades.ndjson.gz', gzipSync(trades.join('\n')), flags);
    expect([code, err]).toEqual([0, expect.stringContaining('200 kept')]);
    expect(await stateOf('trades')).toEqual({
      'BTC-USD': trades[198],
      'EUR/USD': trades[199],
      é: trades[197],
    });
  });

  it('plays aircraft positions from CSV, with dates', async () => {
    const rows = [
      '4ca8e4,2026-11-29T21:00:00Z,51.470,-0.4543,BAW12',
      '3c6444,2026-11-29T21:00:01Z,50.030,8.5700,',
    ];
    const csv = ['hex,seen,lat,lon,call', ...rows].join('\r\n');
    const flags = ['--csv', '--key', '.hex', '--channel', 'sky.eu', '--t', '.seen', '--speed', 'max'];
    expect(await replay('sky.csv', csv, flags)).toMatchObject({ code: 0 });
    expect(await stateOf('sky.eu')).toEqual({
      '4ca8e4': '{"hex":"4ca8e4","seen":"2026-11-29T21:00:00Z","lat":51.470,"lon":-0.4543,"call":"BAW12"}',
      '3c6444': '{"hex":"3c6444","seen":"2026-11-29T21:00:01Z","lat":50.030,"lon":8.5700,"call":null}',
    });
  });

  it('plays a betting stream whose keys have dots, at a given rate', async () => {
    const changes = ['1.200806927', '1.200806928', '1.200806927'].map(
      (id, i) =>
        `{"op":"mcm","pt":${1_700_000_000_000 + i},"mc":[{"id":"${id}","rc":[{"ltp":${i}.50,"id":7}]}]}`,
    );
    const flags = ['--key', '.mc[0].id', '--channel', 'odds', '--data', '.mc[0].rc', '--rate', '1000'];
    expect(await replay('stream.ndjson', changes.join('\n'), flags)).toMatchObject({ code: 0 });
    expect(await stateOf('odds')).toEqual({
      '1.200806927': '[{"ltp":2.50,"id":7}]',
      '1.200806928': '[{"ltp":1.50,"id":7}]',
    });
  });

  it('says what it would do, without NATS', async () => {
    const rows = 'k,v\na,1\nb.c,2\na,3\n';
    const flags = ['--csv', '--key', '.k', '--channel', 'dry', '--rate', '2', '--dry-run'];
    const { code, out, err } = await replay('dry.csv', rows, flags, 'nats://127.0.0.1:1');
    expect(code).toBe(0);
    expect(out.split('\n')).toContain(
      '{"lane":"state","channel":"dry","key":"__b_2Ec","data":{"k":"b.c","v":2}}',
    );
    expect(err).toMatch(/nothing was published; 3 messages in 1\.0 s \(3 state\), 1 channel, 2 keys/);
  });

  it('names the line and its fault, also in a dry run', async () => {
    const flags = ['--key', '.k', '--channel', 'c', '--rate', '9', '--dry-run'];
    const { code, err } = await replay('bad.ndjson', '{"k":1}\n{"x":1}\n', flags);
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('line 2: the record has nothing at .k for "key"'),
    ]);
  });
});
