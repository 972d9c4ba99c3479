// Ports that cannot be opened: each service ends at once with a sentence that names the setting.
import { spawn } from 'node:child_process';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { NatsServer } from '@weir/local';
import { startNatsServer } from '@weir/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let nats: NatsServer;
let taken: Server;
let port: string;

beforeAll(async () => {
  nats = await startNatsServer({});
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  port = String((taken.address() as AddressInfo).port);
});
afterAll(async () => {
  taken.close();
  await nats.stop();
});

const OWN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  router: { WEIR_TICKET_KEYS: `t:${Buffer.alloc(32, 1).toString('base64url')}` },
  shard: {
    WEIR_TICKET_KEYS: `t:${Buffer.alloc(32, 1).toString('base64url')}`,
    WEIR_POOL: 'desktop',
    WEIR_ROUTER_URL: 'ws://127.0.0.1:1',
  },
  publisher: {},
};

/** Runs a service to its end. */
function run(
  service: string,
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; text: string }> {
  const script = fileURLToPath(new URL(`../../../services/${service}/dist/bundle/main.js`, import.meta.url));
  const child = spawn(process.execPath, [script], {
    env: {
      WEIR_NATS_URL: nats.url,
      WEIR_HOST: '127.0.0.1',
      WEIR_PORT: '0',
      WEIR_ADMIN_HOST: '127.0.0.1',
      WEIR_ADMIN_PORT: '0',
      WEIR_LOG_LEVEL: 'fatal',
      ...OWN[service],
      ...env,
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (more) => {
      text += String(more);
    });
  const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearTimeout(late);
      resolve({ code: code ?? -1, text });
    });
  });
}

describe.each(['router', 'shard', 'publisher'])('the %s', (service) => {
  it.each(['WEIR_PORT', 'WEIR_ADMIN_PORT'])('ends if %s is in use, and says so', async (setting) => {
    const { code, text } = await run(service, { [setting]: port });
    expect(code).toBe(1);
    expect(text).toContain(`cannot listen on 127.0.0.1 port ${port}: set ${setting} to a free port`);
  });

  it.each(['WEIR_HOST', 'WEIR_ADMIN_HOST'])(
    'ends if %s is not an address of this machine',
    async (setting) => {
      const { code, text } = await run(service, { [setting]: '192.0.2.1' });
      expect(code).toBe(1);
      expect(text).toContain(`set ${setting} to an address of this machine`);
    },
  );
});

describe('control', () => {
  it.each(['WEIR_ADMIN_PORT'])('ends if %s is in use, and says so', async (setting) => {
    const { code, text } = await run('control', { [setting]: port });
    expect(code).toBe(1);
    expect(text).toContain(`cannot listen on 127.0.0.1 port ${port}: set ${setting} to a free port`);
  });
});
