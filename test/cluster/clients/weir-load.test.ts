// weir-load as people run it, on a real cluster: its counts and its exit code.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../harness/small-cluster.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

const program = fileURLToPath(new URL('../../../packages/load/bin/weir-load.mjs', import.meta.url));
const DRAIN = { WEIR_DRAIN_GRACE_MS: '0', WEIR_DRAIN_WINDOW_MS: '200' };
let cluster: SmallCluster;
let first: Service;
let publisher: Service;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  first = await cluster.shard('desktop', 'desktop-1', DRAIN);
  await cluster.shard('desktop', 'desktop-2', DRAIN);
  await cluster.shard('mobile', 'mobile-1', DRAIN);
  publisher = await cluster.publisher();
});
afterAll(() => cluster?.stop());

function load(...args: readonly string[]) {
  const child = spawn(process.execPath, [program, cluster.routerUrl, ...args]);
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    text.out += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    text.err += String(chunk);
  });
  const ended = once(child, 'close').then(([code]) => ({ code, ...text }));
  return { child, text, ended };
}

describe('weir-load', () => {
  it('counts what its clients see, over a move, and exits with 0', async () => {
    const words = '--clients 30 --ramp 1s --for 60s --class mobile=0.2 --publish 20 --json';
    const run = load(...words.split(' '), '--publisher', publisher.url);
    await until(() => /^30 connected/m.test(run.text.err), 'all clients are there', 30_000);
    first.process.kill('SIGTERM');
    await until(() => / [1-9]\d* moves/.test(run.text.err), 'clients are moved', 30_000);
    run.child.kill('SIGINT');
    const { code, out } = await run.ended;
    const report = JSON.parse(out);
    expect([report.broken, code]).toEqual([[], 0]);
    expect(report).toMatchObject({
      clients: 30,
      arrived: 30,
      connected: 30,
      gaps: 0,
      lost: 0,
      doubled: 0,
    });
    // A busy machine may make other clients slow too.
    expect(report.pools.mobile).toBeGreaterThanOrEqual(6);
    expect(report.ageMs.count).toBeGreaterThan(0);
    expect(report.published).toBeGreaterThan(0);
    expect(report.critical).toBeGreaterThan(0);
    expect(report.redirectMs.count).toBeGreaterThanOrEqual(30);
  });

  it('ends with 1 if a limit is broken, and names the limit', async () => {
    const { code, out } = await load(
      '--clients',
      '2',
      '--ramp',
      '0s',
      '--for',
      '3s',
      '--max-redirect-p99',
      '0',
    ).ended;
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(/over a limit: redirect time p99 in ms is \d+, over 0/),
    ]);
  });
});
