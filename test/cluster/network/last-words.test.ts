// Messages sent before a Close arrive, even if the server has unread data of the client: a plain close of such a socket
// sends a reset that overtakes everything. On an emulated IP link, since a proxy would hide it.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../harness/free-port.ts';
import type { EmulatedLink } from '../../harness/netlab/link.ts';
import { openLink, whyNoLinks } from '../../harness/netlab/link.ts';
import { expectSound, residentMb } from '../../harness/oracle.ts';
import { scale, seen } from '../../harness/scale.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { elapsed, SmallCluster, until } from '../../harness/small-cluster.ts';

const CLIENTS = scale(100, 1_000);
/** 200 ms round trip. */
const FAR = 'rate=200000,delay=100,q=2000';

interface Got {
  readonly event: string;
  readonly redirects: number;
  readonly code4001: number;
  readonly welcomes: number;
  readonly moves: number;
  readonly code4012: number;
  readonly errors: readonly string[];
  readonly otherCodes: readonly number[];
}

/** Stops a process repeatedly, longer than client data is on its way, so that the process has unread data. */
function stutter({ process }: Service): () => void {
  let isOver = false;
  void (async () => {
    while (!isOver && process.exitCode === null) {
      process.kill('SIGSTOP');
      await elapsed(250);
      process.kill('SIGCONT');
      await elapsed(250);
    }
  })();
  return () => {
    isOver = true;
    process.kill('SIGCONT');
  };
}

const reason = whyNoLinks();

describe.skipIf(reason !== undefined)(
  `on a link of 200 ms${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let cluster: SmallCluster;
    let link: EmulatedLink;

    beforeAll(async () => {
      link = await openLink({ name: 'far', down: FAR, up: FAR });
      cluster = await SmallCluster.start({ WEIR_HOST: '0.0.0.0' });
    });
    afterAll(async () => {
      await cluster.stop();
      await link.close();
    });

    it('clients get the redirect and 4001, then move and 4012, even while they keep sending (case D6)', async () => {
      const port = await freePort('0.0.0.0');
      const shard = await cluster.shard('mobile', 'leaving', {
        WEIR_PORT: port,
        WEIR_PUBLIC_URL: `ws://${link.serverAddress}:${port}`,
        WEIR_DRAIN_GRACE_MS: '500',
        WEIR_DRAIN_WINDOW_MS: '1000',
        WEIR_DRAIN_WITHIN_MS: '2000',
      });
      const before = await residentMb(cluster.router);
      const router = `ws://${link.serverAddress}:${new URL(cluster.routerUrl).port}`;
      const script = fileURLToPath(new URL('../../harness/far-client.mjs', import.meta.url));
      const path = '/v1/connect?channels=lobby&class=mobile';
      const child = link.runInClient([process.execPath, script, router, String(CLIENTS), path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const said: Got[] = [];
      if (child.stdout === null) throw new Error('it has no output');
      createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)));
      const last = (event: string): Got | undefined => said.find((one) => one.event === event);

      const steady = stutter(cluster.router);
      await until(() => last('redirected') !== undefined, 'all have visited the router', 60_000);
      steady();
      expect(last('redirected')).toMatchObject({
        redirects: CLIENTS,
        code4001: CLIENTS,
        otherCodes: [],
        errors: [],
      });
      await until(() => last('welcomed') !== undefined, 'all are served', 60_000);
      const ended = once(shard.process, 'exit');
      const calm = stutter(shard);
      shard.process.kill('SIGTERM');
      await until(() => last('over') !== undefined, 'all are closed', 60_000);
      calm();
      const over = last('over');
      expect(over).toMatchObject({ moves: CLIENTS, code4012: CLIENTS, otherCodes: [], errors: [] });
      expect((await ended)[0]).toBe(0);
      expectSound(cluster.running);
      seen('D6', {
        clients: CLIENTS,
        'redirect and 4001': over?.code4001 ?? 0,
        'move and 4012': over?.code4012 ?? 0,
        "router's memory grown by MB": (await residentMb(cluster.router)) - before,
      });
    }, 200_000);
  },
);
