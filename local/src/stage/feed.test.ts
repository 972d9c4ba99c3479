import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { Feed } from './feed.ts';
import { Market, type Quote } from './market.ts';
import { Publisher } from './publisher.ts';

const server = createServer();
afterEach(() => void server.close());

it('publishes the updates of a match in their order, also during a burst', async () => {
  const kept: number[] = [];
  server.on('request', async (request, response) => {
    // As of a busy publisher: a large body takes longer than a small one.
    const turns = (await text(request)).length > 10_000 ? 20 : 0;
    for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
    response.end('{}');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const feed = new Feed({
    market: new Market(() => 0.9),
    publisher: new Publisher(`http://127.0.0.1:${port}`, undefined),
    kept: ({ key, data }) => {
      if (key === 'match-1') kept.push((data as Quote).n);
    },
  });
  feed.start();
  await feed.burst(6_000);
  await feed.stop();
  expect(kept.length).toBeGreaterThan(400);
  expect(kept).toEqual([...kept].sort((a, b) => a - b));
});
