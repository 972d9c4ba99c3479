// The packed SDK on paths that go dead without a word, with the WebSocket that each runtime has of its own: Node from 22
// on, Bun, Deno; and Node 20 with `ws`. Pages are in test/cluster/browser. Skipped unless it is asked for.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Installed } from '../../harness/installed.ts';
import { expectSound } from '../../harness/oracle.ts';
import { PathCluster } from '../../harness/path-cluster.ts';
import { StartedProgram } from '../../harness/programs/started-program.ts';
import { elapsed } from '../../harness/small-cluster.ts';
import { DENO_RUN, RUNTIMES } from './runtimes.ts';
import { isWanted, minutes, why } from './wanted.ts';

/** Long enough for what a dead path takes with the settings of a cluster: two beats of 15 s, and the way back. */
const AGAIN_MS = minutes;

/** Says each value, and how often it visited the router, until it is killed. */
const FOLLOWS = `
import { connect } from '@weir/client';
const weir = connect({ url: process.argv[2], channels: ['quiet'] });
const quiet = weir.channel('quiet');
quiet.on('state', () => console.log('value', quiet.state.get('k'), 'visits', weir.info.attempts, weir.status));
weir.on('retry', ({ reason, stage }) => console.log('retry', stage, reason));
`;

describe.skipIf(!isWanted)(`a dead path${why}`, { timeout: 5 * minutes }, () => {
  let app: Installed;
  let paths: PathCluster;
  let nats: NatsConnection;
  let round = 0;

  beforeAll(async () => {
    app = await Installed.install({ fetched: [...RUNTIMES, 'ws@8.23.0'] });
    app.write('app.mjs', FOLLOWS);
    paths = await PathCluster.start({ shard: { WEIR_BEAT_MS: '2000' } });
    nats = await connectNats({ servers: paths.cluster.nats.url });
  }, 10 * minutes);
  afterAll(async () => {
    if (paths !== undefined) {
      expectSound(paths.cluster.running);
      await nats?.close();
      await paths.stop();
    }
    app?.remove();
  }, 2 * minutes);

  it.each([
    ['Node 20 with ws', ['node20/bin/node']],
    ['Node 22', ['node22/bin/node']],
    ['Node 24', ['node24/bin/node']],
    ['Bun', ['.bin/bun']],
    ['Deno', ['.bin/deno', ...DENO_RUN]],
  ])('is noticed and left without a break on %s', async (_, [path = '', ...args]) => {
    const command = [app.path(`node_modules/${path}`), ...args, 'app.mjs', paths.url] as const;
    const program = new StartedProgram([...command], app.folder);
    const publish = (): number => {
      nats.publish('weir.state.quiet.k', String(++round));
      return round;
    };
    try {
      publish();
      await program.line(new RegExp(`^value ${round} visits 1 open`), AGAIN_MS);
      // Three beats of a path that is quiet and alive: pings that a runtime answers without a word are enough.
      await elapsed(6_500);
      publish();
      await program.line(new RegExp(`^value ${round} visits 1 open`), AGAIN_MS);
      paths.swallow();
      publish();
      await program.line(new RegExp(`^value ${round} visits 2 open`), AGAIN_MS);
      expect(program.lines.filter((line) => !line.startsWith('value'))).toEqual([]);
    } finally {
      await program.end();
    }
  });
});
