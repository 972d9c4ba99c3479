// What NATS_URL may name, and what is said if it names anything else.
import { expect, it } from 'vitest';
import { openNats, withoutPassword } from './open-nats.ts';

function open(url: string, name = 'NATS_URL') {
  const say = (): void => undefined;
  return openNats({ env: { [name]: url }, say, shout: say, log: say, port: 0, storeDir: undefined });
}

it.each([
  'http://127.0.0.1:4222',
  'ws://a',
  'nats://',
  'nats://a/b',
  'nats://a?x',
  'nats://a:99999',
  'a b',
  'a,,b',
  ' ',
])('refuses %j with the servers that it may name', async (url) => {
  await expect(open(url)).rejects.toThrow(/^NATS_URL must name NATS servers such as nats:/);
  await expect(open(url, 'WEIR_NATS_URL')).rejects.toThrow(/^WEIR_NATS_URL must name/);
});

it('names the server that does not answer, without its password', async () => {
  const urls = 'nats://user:secret@127.0.0.1:1,127.0.0.1:2';
  await expect(open(urls)).rejects.toThrow('no NATS server answers at nats://***@127.0.0.1:1 (NATS_URL)');
  expect(withoutPassword('nats://u:p@a,tls://u:q@b?x')).toBe('nats://***@a,tls://***@b?***');
});
