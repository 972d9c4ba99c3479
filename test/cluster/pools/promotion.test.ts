// A client is promoted when its network becomes good, and demoted when it turns slow again, with real services and a
// network that changes under the connection. No message is lost or doubled, and the client does not flap.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import type { MoveEvent, Weir } from '@weir/client';
import { connect } from '@weir/client';
import type { Profile } from '@weir/local';
import { parseTicketKeys, verifyTicket } from '@weir/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { ChangingNetwork } from '../../harness/changing-network.ts';
import { freePort } from '../../harness/free-port.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const HEALTH_MS = 1_500;
const BACKOFF_MS = 3_000;
const PATIENCE_MS = 40_000;
/** Thresholds with a margin to the networks below, for busy machines. */
const RATE_KBPS = '600';
const RTT_MS = '600';

const both = (shape: Profile['down']): Profile => ({ down: shape, up: shape });
const good = both({ kbps: 50_000, delayMs: 10 });
/** Too far for the faster pool, by the shard's lag and by the router's probe. */
const far = both({ kbps: 2_000, delayMs: 500 });
/** Good enough for the slower pool's stream; the router finds the rate too low for the faster pool. */
const narrow = both({ kbps: 300, delayMs: 15 });

let cluster: SmallCluster;
let mobile: Service;
let desktop: Service;
let nats: NatsConnection;
let feed: NodeJS.Timeout;
let sent = 0;
const network = new ChangingNetwork(far);

let routerUrl = '';
const remeasured = (result: string): string => `weir_router_remeasured_total{result="${result}"}`;

beforeAll(async () => {
  cluster = await SmallCluster.start(
    {},
    { WEIR_PROBE_RATE_THRESHOLD_KBPS: RATE_KBPS, WEIR_PROBE_RTT_THRESHOLD_MS: RTT_MS },
  );
  routerUrl = await network.to(Number(new URL(cluster.routerUrl).port));
  const start = async (pool: string): Promise<Service> => {
    const port = await freePort();
    return cluster.shard(pool, `${pool}-1`, {
      WEIR_PORT: port,
      WEIR_PUBLIC_URL: await network.to(Number(port)),
      WEIR_ROUTER_URL: routerUrl,
      WEIR_TICK_MS: '50',
      WEIR_PING_MS: '100',
      WEIR_MIN_STAY_MS: '1000',
      WEIR_DEMOTION_LAG_MS: '900',
      WEIR_PROMOTION_LAG_MS: '600',
      WEIR_PROMOTION_RTT_MS: '400',
      WEIR_PROMOTION_HEALTH_MS: String(HEALTH_MS),
      WEIR_PROMOTION_MIN_BYTES: '4096',
      WEIR_MOVE_BACKOFF_MS: String(BACKOFF_MS),
      // Without second looks every promotion is measured by the router.
      WEIR_LOOK_BYTES_PER_SECOND: '0',
    });
  };
  mobile = await start('mobile');
  desktop = await start('desktop');
  nats = await connectNats({ servers: cluster.nats.url });
  const padding = 'x'.repeat(200);
  feed = setInterval(() => {
    nats.publish('weir.critical.news', String(sent++));
    nats.publish('weir.state.news.n', JSON.stringify({ n: sent, padding }));
  }, 50);
});

afterAll(async () => {
  clearInterval(feed);
  await nats.close();
  await cluster.stop();
  await network.close();
});

/** An application on the SDK, which follows moves. */
class Application {
  readonly weir: Weir;
  readonly moves: (MoveEvent & { readonly atMs: number })[] = [];
  readonly data: unknown[] = [];
  gaps = 0;

  constructor() {
    this.weir = connect({ url: routerUrl, channels: ['news'] });
    this.weir.on('move', (event) => this.moves.push({ ...event, atMs: performance.now() }));
    const news = this.weir.channel('news');
    news.on('critical', ({ data }) => this.data.push(data));
    news.on('gap', () => this.gaps++);
  }

  get newest(): number {
    const value = this.weir.channel('news').state.get('n');
    return typeof value === 'object' && value !== null && 'n' in value ? Number(value.n) : 0;
  }

  async moved(times: number, what: string): Promise<MoveEvent & { readonly atMs: number }> {
    await until(() => this.moves.length >= times, what, PATIENCE_MS);
    const move = this.moves[times - 1];
    if (move === undefined) throw new Error('there is no such move');
    return move;
  }

  /** Fails unless it has every message since it connected, once and in order, and the newest state. */
  async hasAll(): Promise<void> {
    const upTo = sent;
    await until(() => this.newest > upTo && this.data.length > 0, 'it has the newest state', PATIENCE_MS);
    await until(() => Number(this.data.at(-1)) >= upTo, 'it has the newest message', PATIENCE_MS);
    const [first] = this.data;
    expect(this.data).toEqual(this.data.map((_, i) => Number(first) + i));
    expect(this.gaps).toBe(0);
  }
}

describe('a client on a network that changes', () => {
  it('is promoted when it is good, demoted when it is not, and promoted again only after the back-off', async () => {
    network.change(far);
    const application = new Application();
    const { weir } = application;
    await until(() => application.data.length > 3, 'it is served', PATIENCE_MS);
    expect(weir.info.pool).toBe('mobile');

    network.change(good);
    const chosen = await BareClient.connect(routerUrl, 'channels=news&class=mobile');
    const up = await application.moved(1, 'it is led up');
    expect(up).toMatchObject({ pool: 'desktop', reason: 'promote', resumed: true });
    await application.hasAll();

    network.change(far);
    const down = await application.moved(2, 'it is led back');
    expect(down).toMatchObject({ pool: 'mobile', reason: 'tooSlow', resumed: true });
    await application.hasAll();

    network.change(good);
    const upAgain = await application.moved(3, 'it is led up again');
    expect(upAgain).toMatchObject({ pool: 'desktop', reason: 'promote' });
    // Two moves double the back-off. The client learns of the move slightly after the back-off starts.
    expect(upAgain.atMs - down.atMs).toBeGreaterThan(2 * BACKOFF_MS - 1_500);
    await application.hasAll();
    expect(await metric(mobile, 'weir_shard_moves_total{reason="promote"}')).toBeGreaterThanOrEqual(2);
    expect(await metric(desktop, 'weir_shard_moves_total{reason="tooSlow"}')).toBeGreaterThanOrEqual(1);
    expect(await metric(cluster.router, remeasured('faster'))).toBeGreaterThanOrEqual(2);
    expect(await metric(cluster.router, remeasured('slower'))).toBeGreaterThanOrEqual(1);
    weir.close();

    // `chosen` had an equally good network, but had asked for the mobile pool.
    expect(chosen.ids.length).toBeGreaterThan(20);
    expect(chosen.of('move')).toEqual([]);
    chosen.close();
  });

  it('stays in its pool if the router finds it healthy, but not fast enough for the next pool', async () => {
    network.change(narrow);
    const client = await BareClient.connect(routerUrl, 'channels=news');
    expect(client.redirect['pool']).toBe('mobile');
    await until(() => client.of('move').length > 0, 'it is asked to be measured', PATIENCE_MS);
    expect(client.of('move')[0]?.message).toMatchObject({ reason: 'promote', withinMs: 10_000 });
    const again = await BareClient.connect(String(client.of('move')[0]?.message['url']), '', client.position);
    await until(() => again.of('position').length > 0, 'it is served again', PATIENCE_MS);
    expect(again.of('welcome')[0]?.message).toMatchObject({ pool: 'mobile', resumed: true });
    client.close();
    const ids = [...new Set([...client.ids, ...again.ids])].sort((a, b) => a - b);
    expect(ids).toEqual(Array.from(ids, (_, i) => (ids[0] ?? 0) + i));
    // The ticket tells the shard that it need not retry soon.
    const ticket = await verifyTicket(
      String(new URL(String(again.redirect['url'])).searchParams.get('ticket')),
      {
        keys: parseTicketKeys(cluster.ticketKeys),
        nowMs: Date.now(),
        pool: 'mobile',
        shard: 'mobile-1',
      },
    );
    expect(ticket).toMatchObject({ value: { history: { stayedMs: 0, moves: 1, kept: true } } });
    expect(await metric(cluster.router, remeasured('same'))).toBeGreaterThanOrEqual(1);
    again.close();
  });
});
