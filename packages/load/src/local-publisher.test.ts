import { describe, expect, it } from 'vitest';
import { localPublisher } from './local-publisher.ts';

const state = JSON.stringify({ router: 'ws://127.0.0.1:7711', publisher: 'http://127.0.0.1:7712' });
const at = (path: string, text: string) => (asked: string) => (asked === path ? text : undefined);

describe('the publisher of a local cluster', () => {
  it.each([
    [
      'of the same router, also from a folder below',
      'ws://127.0.0.1:7711/v1/connect',
      state,
      'http://127.0.0.1:7712',
    ],
    ['of another router is not meant', 'ws://127.0.0.1:7701', state, undefined],
    ['is unknown where the file is not whole', 'ws://127.0.0.1:7711', '{"router":', undefined],
    ['is unknown where the file is something else', 'ws://127.0.0.1:7711', '[1]', undefined],
  ])('%s', (_, url, text, found) => {
    expect(localPublisher(url, '/a/b/c', at('/a/.weir/local.json', text))).toBe(found);
  });

  it('is unknown where no cluster runs', () => {
    expect(localPublisher('ws://127.0.0.1:7711', '/a/b', () => undefined)).toBeUndefined();
  });
});
