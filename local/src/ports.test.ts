import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { choosePort, isFreePort, portsFrom, takenText } from './ports.ts';

describe('portsFrom', () => {
  it('puts router, publisher, NATS and console after the page', () => {
    expect(portsFrom(7700)).toEqual({ page: 7700, router: 7701, publisher: 7702, nats: 7703, console: 7704 });
  });

  it('uses free ports for 0, and if there is no room after the page', () => {
    expect(portsFrom(0)).toEqual({ page: 0, router: 0, publisher: 0, nats: 0, console: 0 });
    expect(portsFrom(65_534)).toEqual({ page: 65_534, router: 65_535, publisher: 0, nats: 0, console: 0 });
  });
});

describe('choosePort', () => {
  const taken = (...ports: readonly number[]) => {
    return async (port: number): Promise<boolean> => !ports.includes(port);
  };

  it('uses the usual port, or the next free one of its row', async () => {
    expect(await choosePort(7701, taken())).toBe(7701);
    expect(await choosePort(7701, taken(7701, 7711))).toBe(7721);
  });

  it('uses any free port if the whole row is used, or for 0', async () => {
    expect(await choosePort(7701, async () => false)).toBe(0);
    expect(await choosePort(65_530, taken(65_530))).toBe(0);
    expect(await choosePort(0, async () => Promise.reject(new Error('not asked')))).toBe(0);
  });
});

it('sees a port that another program listens on', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  expect(await isFreePort(port)).toBe(false);
  await new Promise((resolve) => other.close(resolve));
});

it('says which port is used, and what it uses instead', () => {
  expect(takenText(7701, 7711)).toBe('port 7701 is taken by another program: listening on 7711 instead');
  expect(takenText(7701, 7701)).toBeUndefined();
  expect(takenText(0, 41_234)).toBeUndefined();
});
