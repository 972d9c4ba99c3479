import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nkeys } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { authenticate } from './authenticate.ts';

describe('authenticate', () => {
  it('uses the first credentials that are set', () => {
    expect(authenticate({})).toBeUndefined();
    expect(authenticate({ user: 'u', password: 'p' })?.()).toEqual({ user: 'u', pass: 'p' });
    expect(authenticate({ token: 't', user: 'u' })?.()).toEqual({ auth_token: 't' });
  });

  it('reads a credentials file at each attempt, and keeps the last content while the file is missing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-creds-'));
    const path = join(folder, 'nats.creds');
    const entry = authenticate({ credsFile: path });
    try {
      expect(() => entry?.()).toThrow('ENOENT');
      const seed = new TextDecoder().decode(nkeys.createUser().getSeed());
      const creds = (jwt: string): string =>
        `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
      writeFileSync(path, creds('first'));
      expect(entry?.('nonce')).toMatchObject({ jwt: 'first' });
      writeFileSync(path, creds('second'));
      expect(entry?.('nonce')).toMatchObject({ jwt: 'second' });
      rmSync(path);
      expect(entry?.('nonce')).toMatchObject({ jwt: 'second' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
