// The images of `npm run images` as containers: NATS, the router, both pools, and a message through them. Skipped if no
// Docker engine answers, or if there are neither images nor archives of them.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { until } from '../../harness/small-cluster.ts';
import type { ImageCluster } from './image-cluster.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const images = {
  router: `localhost/weir/router:${version}`,
  shard: `localhost/weir/shard:${version}`,
  nats: 'docker.io/library/nats:2.15.1',
} as const;
const minutes = 60_000;
const why = whyNot();

describe.skipIf(why !== '')(`the images${why}`, () => {
  let cluster: ImageCluster;

  beforeAll(async () => {
    const { ImageCluster } = await import('./image-cluster.ts');
    cluster = await ImageCluster.start(images);
  }, 5 * minutes);

  afterAll(() => cluster?.stop(), 2 * minutes);

  it(
    'pass a message through router and shard in both pools',
    async () => {
      const publisher = await connectNats({ servers: cluster.natsUrl });
      for (const pool of ['mobile', 'desktop']) {
        const client = await BareClient.connect(cluster.routerUrl, `channels=images&class=${pool}`);
        await until(() => client.of('state').length > 0, 'the snapshot');
        expect(client.redirect).toMatchObject({ pool });
        publisher.publish('weir.critical.images', JSON.stringify(pool));
        await until(
          () => client.of('critical').some(({ message }) => message['data'] === pool),
          'the message',
        );
        client.close();
      }
      await publisher.close();
    },
    2 * minutes,
  );

  it('answer health checks at the address of the container', async () => {
    const script =
      "fetch('http://' + require('os').hostname() + ':9090/livez').then((r) => console.log(r.status), (e) => console.log(e.cause.code))";
    const result = await cluster.router?.exec(['node', '-e', script]);
    expect(result?.output.trim()).toBe('200');
  });

  it(
    'run as user nobody, with Node 24 as process 1, and end on SIGTERM',
    async () => {
      const script = 'console.log(process.getuid(), process.version)';
      const result = await cluster.router?.exec(['node', '-e', script]);
      expect(result?.output.trim()).toMatch(/^65532 v24\./);
      const began = performance.now();
      await cluster.router?.stop({ timeout: 60_000, remove: false });
      expect(performance.now() - began).toBeLessThan(30_000);
    },
    2 * minutes,
  );
});

/** The reason for a skip, for the titles; empty if the tests run. */
function whyNot(): string {
  if (spawnSync('docker', ['version']).status !== 0) return ' (skipped: no Docker engine answers)';
  for (const [name, image] of Object.entries(images)) {
    if (spawnSync('docker', ['image', 'inspect', image]).status === 0) continue;
    const archive = `${root}dist/images/${name}.tar`;
    if (!existsSync(archive) || spawnSync('docker', ['load', '--input', archive]).status !== 0)
      return ` (skipped: there is no image ${image}: npm run images)`;
  }
  return '';
}
