import { describe, expect, it } from 'vitest';
import { readServers } from './servers.ts';

describe('readServers', () => {
  it('splits URLs into the parts for the library', () => {
    expect(readServers(['nats://a', 'nats://10.0.0.1:1', 'nats://[::1]:4333'])).toEqual({
      addresses: ['a:4222', '10.0.0.1:1', '[::1]:4333'],
      tls: false,
    });
    expect(readServers(['nats://a', 'tls://b']).tls).toBe(true);
  });

  it('removes credentials from the addresses', () => {
    expect(readServers(['nats://us%40er:p%3Aw@a:1', 'nats://b'])).toEqual({
      addresses: ['a:1', 'b:4222'],
      tls: false,
      user: 'us@er',
      password: 'p:w',
    });
    expect(readServers(['nats://t0ken@a'])).toMatchObject({ addresses: ['a:4222'], token: 't0ken' });
  });

  it('refuses what cannot be one connection', () => {
    expect(() => readServers([])).toThrow('no NATS server');
    const problem = /different user information/;
    expect(() => readServers(['nats://a:1@h', 'nats://a:2@h'])).toThrow(problem);
  });
});
