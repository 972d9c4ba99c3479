// What is said if the URL leads to something else than a console.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readView } from './read-view.ts';

const view = { atMs: 1, nats: 'heard', total: { clients: 0 }, findings: [], pools: [], shards: [] };
let body = '';
let status = 200;
let server: Server;
let url = '';

beforeAll(async () => {
  server = createServer((_, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  url = `http://127.0.0.1:${port}`;
});
afterAll(() => server.close());

it('reads the view of a console', async () => {
  body = JSON.stringify(view);
  expect(await readView(url)).toEqual({ view });
});

it.each(['{}', '[]', 'null', '7', '{"atMs":1,"shards":[],"pools":[],"findings":[],"total":null}'])(
  'says that %s is no console',
  async (json) => {
    body = json;
    expect(await readView(url)).toEqual({ problem: `${url} is not the console of control` });
  },
);

it('repeats why a console refuses', async () => {
  status = 403;
  body = 'add weir.example to\u001b[2J WEIR_CONSOLE_ALLOWED_HOSTS\n';
  const problem = `${url} refuses: add weir.example to [2J WEIR_CONSOLE_ALLOWED_HOSTS`;
  expect(await readView(url)).toEqual({ problem });
  status = 200;
});

it('says what does not answer, and how', async () => {
  body = '<html>';
  expect(await readView(url)).toMatchObject({
    problem: expect.stringContaining(`no console answers at ${url}`),
  });
  status = 404;
  expect(await readView(url)).toMatchObject({ problem: expect.stringContaining('answers 404') });
  expect(await readView('nonsense')).toMatchObject({ problem: expect.stringContaining('Invalid URL') });
});
