// The programs of docs/raw-websocket.md exactly as printed, against a scripted cluster.
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Program } from '../../harness/programs/example-client.ts';
import { ExampleClient, programs, whyNot } from '../../harness/programs/example-client.ts';
import { fencedFiles } from '../../harness/programs/fenced-blocks.ts';
import { ScriptedCluster } from '../../harness/scripted-cluster.ts';

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 15_000, interval: 20 });

describe.each<Program>(programs)('%s of the docs', (program) => {
  const reason = whyNot(program);
  const moves = program.includes('moves');
  let cluster: ScriptedCluster;
  let client: ExampleClient;

  beforeEach(async () => {
    if (reason !== undefined) return;
    cluster = await ScriptedCluster.start();
    cluster.set('lobby', { 'slot-1': 1, 'slot-2': { on: true }, __proto__x: 1 });
    client = await ExampleClient.start(program, cluster.url);
    await eventually(() =>
      expect(client.lobby, client.errors).toEqual({ 'slot-1': 1, 'slot-2': { on: true }, __proto__x: 1 }),
    );
  });
  afterEach(async () => {
    if (reason !== undefined) return;
    await client.stop();
    await cluster.stop();
  });
  const name = (text: string): string => (reason === undefined ? text : `${text} (skipped: ${reason})`);
  const check = it.skipIf(reason !== undefined);

  check(name('is redirected, gets the snapshot and what changes'), async () => {
    expect(cluster.visits[0]?.url.search).toBe('?channels=lobby');
    expect(cluster.visits[0]?.protocols).toEqual(['weir.v1']);
    expect(cluster.resumes).toEqual([null]);
    cluster.set('lobby', { 'slot-1': 2 });
    cluster.delete('lobby', 'slot-2');
    cluster.critical('lobby', { won: 5 });
    await eventually(() => {
      expect(client.lobby).toEqual({ 'slot-1': 2, __proto__x: 1 });
      expect(client.said.at(-1)).toMatchObject({ type: 'critical', data: { won: 5 } });
    });
  });

  check(name('puts a snapshot of several frames together, and forgets what is not in it'), async () => {
    cluster.say({ type: 'state', channel: 'lobby', snapshot: true, more: true, set: { a: 1 } });
    cluster.say({ type: 'state', channel: 'lobby', snapshot: true, more: true, set: { b: 2 } });
    cluster.say({ type: 'state', channel: 'lobby', snapshot: true, set: { c: 3 } });
    await eventually(() => expect(client.lobby).toEqual({ a: 1, b: 2, c: 3 }));
  });

  check(name('resumes: nothing lost, no id twice'), async () => {
    cluster.critical('lobby', 'one');
    cluster.sayPosition();
    cluster.critical('lobby', 'two');
    await eventually(() => expect(client.criticalIds).toEqual([4, 5]));
    cluster.closeStreams(4008);
    cluster.critical('lobby', 'three');
    cluster.set('lobby', { 'slot-1': 9 });
    await eventually(() => {
      expect(client.criticalIds).toEqual([4, 5, 6]);
      expect(client.lobby).toMatchObject({ 'slot-1': 9, 'slot-2': { on: true } });
    });
    expect(cluster.resumes).toEqual([null, '1.4']);
  });

  if (moves)
    check(name('moves: opens the new stream first, then nothing of the old one counts'), async () => {
      cluster.critical('lobby', 'one');
      cluster.sayPosition();
      const [old] = cluster.streams;
      cluster.move('b');
      await eventually(() => expect([...cluster.streams].map(({ shard }) => shard)).toEqual(['b']));
      expect(cluster.visits[1]?.url.searchParams.get('hint')).toBe('H');
      expect(cluster.resumes).toEqual([null, '1.4']);
      expect(old?.socket.readyState).toBeGreaterThan(1);
      cluster.critical('lobby', 'two');
      await eventually(() => expect(client.criticalIds).toEqual([4, 5]));
      cluster.closeStreams(4009);
      await eventually(() => expect(cluster.resumes).toHaveLength(3));
      cluster.critical('lobby', 'three');
      await eventually(() => expect(client.criticalIds).toEqual([4, 5, 6]));
    });

  if (moves)
    check(name('keeps the old stream where a move fails'), async () => {
      cluster.refuseAtRouter.push(4013);
      cluster.move('b');
      await eventually(() => expect(cluster.visits).toHaveLength(2));
      cluster.set('lobby', { 'slot-1': 3 });
      await eventually(() => expect(client.lobby).toMatchObject({ 'slot-1': 3 }));
      cluster.closeStreams(4008);
      await eventually(() => expect(cluster.visits).toHaveLength(3));
      await eventually(() => expect([...cluster.streams].map(({ shard }) => shard)).toEqual(['b']));
    });

  if (!moves)
    check(name('does not follow a move, and resumes when the shard stops'), async () => {
      cluster.critical('lobby', 'one');
      cluster.sayPosition();
      cluster.move('b');
      cluster.closeStreams(4012);
      cluster.critical('lobby', 'two');
      await eventually(() => expect(client.criticalIds).toEqual([4, 5]));
      expect(cluster.visits).toHaveLength(2);
      expect(cluster.resumes).toEqual([null, '1.4']);
    });

  check(name('comes back after a refused ticket and after a broken connection'), async () => {
    cluster.refuseAtShard.push(4003);
    cluster.cutStreams();
    await eventually(() => expect(cluster.visits).toHaveLength(3));
    await eventually(() => expect(cluster.streams.size).toBe(1));
  });

  check(name('begins anew with another epoch'), async () => {
    cluster.critical('lobby', 'one');
    await eventually(() => expect(client.criticalIds).toEqual([4]));
    cluster.beginEpoch();
    cluster.set('lobby', { fresh: true });
    cluster.closeStreams(4008);
    await eventually(() => expect(client.lobby).toEqual({ fresh: true }));
    cluster.critical('lobby', 'low id');
    await eventually(() => {
      expect(client.criticalIds).toEqual([4, 2]);
      expect(client.said).toContainEqual(expect.objectContaining({ type: 'gap', reset: true }));
    });
  });

  check(name('stops where it is told to'), async () => {
    cluster.closeStreams(4500, 'token expired');
    expect(await client.exited).toBe(0);
    expect(client.said.at(-1)).toEqual({ type: 'stopped', code: 4500 });
    expect(cluster.visits).toHaveLength(1);
    expect(client.errors).toBe('');
  });
});

describe('docs/raw-websocket.md', () => {
  it('has the programs that these tests run', async () => {
    const page = await readFile(new URL('../../../docs/raw-websocket.md', import.meta.url), 'utf8');
    expect([...fencedFiles(page).keys()].sort()).toEqual([...programs, 'app.mjs', 'look.mjs'].sort());
  });
});
