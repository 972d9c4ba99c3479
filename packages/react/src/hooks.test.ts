// @vitest-environment jsdom
// The hooks under React in a DOM, with the real SDK on a cluster that a test scripts.
import type { Weir } from '@weir/client';
import type { ReactNode } from 'react';
import { Component, createElement as h, StrictMode, startTransition, useLayoutEffect, useState } from 'react';
import { flushSync } from 'react-dom';
import type { Root } from 'react-dom/client';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import type { MockInstance } from 'vitest';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeCluster } from './fakes/fake-cluster.ts';
import { useChannel, useCritical, useKey, useStatus, useWeir, WeirProvider } from './index.ts';

let cluster: FakeCluster;
let container: HTMLElement;
let root: Root;
let complaints: MockInstance;
let warnings: MockInstance;

beforeEach(() => {
  cluster = new FakeCluster();
  container = document.createElement('div');
  root = createRoot(container);
  complaints = vi.spyOn(console, 'error');
  warnings = vi.spyOn(console, 'warn');
});
afterEach(async () => {
  root.unmount();
  cluster.closeAll();
  expect(complaints).not.toHaveBeenCalled();
  expect(warnings).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

/** Enough time on a busy machine. */
const WAIT = { timeout: 8_000, interval: 10 };
const shows = (text: string): Promise<void> =>
  vi.waitFor(() => expect(container.textContent).toBe(text), WAIT);
const open = (streams = 1): Promise<void> => vi.waitFor(() => expect(cluster.streams).toBe(streams), WAIT);
const subscribed = (client: Weir): Promise<void> =>
  vi.waitFor(() => expect(client.channel('odds').subscribed).toBe(true), WAIT);
/** Lets due work run: promises, React's work, and timers of zero. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** A component with one hook; it counts its renders. */
function component(use: () => string): { (): string; renders: number } {
  const Shown = (): string => {
    Shown.renders++;
    return use();
  };
  Shown.renders = 0;
  return Shown;
}

const provided = (client: Weir, ...children: ReactNode[]): ReactNode =>
  h(WeirProvider, { client }, ...children);

describe('useChannel', () => {
  it('subscribes, and shows each change', async () => {
    const Board = component(() => [...useChannel<number>('odds')].join(' '));
    root.render(provided(cluster.connect(), h(Board)));
    await open();
    expect(cluster.visits[0]).toContain('channels=odds');
    cluster.state({ a: 1, b: 2 });
    await shows('a,1 b,2');
    cluster.state({ b: 3 });
    await shows('a,1 b,3');
    cluster.says({ type: 'state', channel: 'odds', set: {}, del: ['a'] });
    await shows('b,3');
  });

  it('visits the router once for all channels of a page', async () => {
    const Board = component(() => `${useChannel('odds').size} ${useChannel('chat').size}`);
    root.render(provided(cluster.connect(), h(Board), h(component(() => `${useChannel('odds').size}`))));
    await open();
    await turn();
    expect(cluster.visits).toEqual([expect.stringContaining('channels=odds,chat')]);
    expect(cluster.said).toEqual([]);
  });

  it('leaves the channel after its last user, but not a channel of the application', async () => {
    const client = cluster.connect({ channels: ['kept'] });
    const Board = component(() => `${useChannel('odds').size}${useChannel('kept').size}`);
    const board = h(Board, { key: 'a' });
    root.render(provided(client, board, h(Board, { key: 'b' })));
    await open();
    root.render(provided(client, board));
    await turn();
    expect(client.channel('odds').subscribed).toBe(true);
    root.render(provided(client));
    await vi.waitFor(() => expect(client.channel('odds').subscribed).toBe(false), WAIT);
    expect(client.channel('kept').subscribed).toBe(true);
  });

  it('stays subscribed if another component replaces the last user', async () => {
    const client = cluster.connect({ channels: ['other'] });
    const Board = component(() => [...useChannel<number>('odds')].join(' '));
    root.render(provided(client, h(Board, { key: 'a' })));
    await open();
    await subscribed(client);
    cluster.state({ a: 1 });
    await shows('a,1');
    cluster.said.length = 0;
    root.render(provided(client, h(Board, { key: 'b' })));
    await turn();
    await turn();
    expect(container.textContent).toBe('a,1');
    expect(cluster.said).toEqual([]);
  });

  it('is empty after the application itself has left the channel', async () => {
    const client = cluster.connect({ channels: ['other'] });
    const Board = component(() => `${[...useChannel('odds')].join(' ')}|${useKey('odds', 'a') ?? '–'}`);
    root.render(provided(client, h(Board)));
    await open();
    await subscribed(client);
    cluster.state({ a: 1 });
    await shows('a,1|1');
    client.channel('odds').unsubscribe();
    await shows('|–');
  });

  it('waits for a closed client, and subscribes when it connects again', async () => {
    const client = cluster.connect();
    client.close();
    const Board = component(() => `${[...useChannel('odds')].join(' ')} ${useStatus()}`);
    root.render(provided(client, h(Board)));
    await shows(' closed');
    client.connect();
    await open();
    cluster.state({ a: 1 });
    await shows('a,1 open');
  });
});

describe('useKey', () => {
  it('renders only for its key', async () => {
    const Odds = component(() => `${useKey<number>('odds', 'a') ?? '–'}`);
    root.render(provided(cluster.connect(), h(Odds), h(component(() => `|${useKey('odds', 'b') ?? '–'}`))));
    await open();
    cluster.state({ a: 1 });
    await shows('1|–');
    const { renders } = Odds;
    for (const b of [1, 2, 3]) {
      cluster.state({ b });
      await shows(`1|${b}`);
    }
    expect(Odds.renders).toBe(renders);
    cluster.state({ a: 2 });
    await shows('2|3');
    expect(Odds.renders).toBe(renders + 1);
  });

  it('does not render for an equal value that a snapshot repeats', async () => {
    const Odds = component(() => JSON.stringify(useKey('odds', 'a') ?? null) + useChannel('odds').size);
    const Key = component(() => JSON.stringify(useKey('odds', 'a') ?? null));
    root.render(provided(cluster.connect(), h(Key), h(Odds)));
    await open();
    cluster.state({ a: { home: 1 } });
    await shows('{"home":1}{"home":1}1');
    const { renders } = Key;
    cluster.says({ type: 'state', channel: 'odds', snapshot: true, set: { a: { home: 1 }, b: 2 } });
    await shows('{"home":1}{"home":1}2');
    expect(Key.renders).toBe(renders);
  });

  it('follows a change of key and of channel', async () => {
    const Odds = ({ channel, name }: { channel: string; name: string }): string =>
      `${useKey(channel, name) ?? '–'}`;
    const client = cluster.connect({ channels: ['odds', 'chat'] });
    const show = (channel: string, name: string) => root.render(provided(client, h(Odds, { channel, name })));
    show('odds', 'a');
    await open();
    cluster.state({ a: 1, b: 2 });
    cluster.state({ a: 3 }, 'chat');
    await shows('1');
    show('odds', 'b');
    await shows('2');
    show('chat', 'a');
    await shows('3');
  });
});

describe('useCritical', () => {
  it('calls the function of the last render with each message once, and reports losses', async () => {
    const heard: unknown[] = [];
    const Goals = ({ as }: { as: string }): string => {
      useCritical<string>(
        'odds',
        ({ id, data }) => heard.push([as, id, data]),
        ({ after }) => heard.push([as, 'gap', after]),
      );
      return as;
    };
    const client = cluster.connect();
    root.render(provided(client, h(Goals, { as: 'first' })));
    await open();
    cluster.critical(1, 'x');
    cluster.critical(1, 'x');
    root.render(provided(client, h(Goals, { as: 'second' })));
    await shows('second');
    cluster.critical(2, 'y');
    cluster.says({ type: 'gap', channel: 'odds', after: 2 });
    expect(heard).toEqual([
      ['first', 1, 'x'],
      ['second', 2, 'y'],
      ['second', 'gap', 2],
    ]);
    root.unmount();
    cluster.critical(3, 'z');
    expect(heard).toHaveLength(3);
    root = createRoot(container);
  });
});

describe('the provider', () => {
  it('shows the status, from the first render to the end', async () => {
    const client = cluster.connect({ channels: ['odds'] });
    const statuses: string[] = [];
    const Light = component(() => {
      const status = useStatus();
      statuses.push(status);
      return status;
    });
    flushSync(() => root.render(provided(client, h(Light))));
    await shows('open');
    client.close();
    await shows('closed');
    expect(statuses).toEqual(['connecting', 'open', 'closed']);
  });

  it('with `connect` creates one client and closes it on unmount', async () => {
    const connect = vi.fn(() => cluster.connect());
    const Board = component(() => [...useChannel<number>('odds')].join(' '));
    // A new function at every render, as applications write it.
    const render = () => root.render(h(WeirProvider, { connect: () => connect() }, h(Board)));
    render();
    await open();
    render();
    cluster.state({ a: 1 });
    await shows('a,1');
    root.render(null);
    await vi.waitFor(() => expect(cluster.clients[0]?.status).toBe('closed'), WAIT);
    expect(connect).toHaveBeenCalledTimes(1);
    expect(cluster.visits).toHaveLength(1);
  });

  it('accepts another client', async () => {
    const [one, two] = [cluster.connect(), new FakeCluster()];
    const Board = component(() => [...useChannel<number>('odds')].join(' '));
    root.render(provided(one, h(Board)));
    await open();
    cluster.state({ a: 1 });
    await shows('a,1');
    root.render(provided(two.connect(), h(Board)));
    await vi.waitFor(() => expect(two.streams).toBe(1), WAIT);
    await shows('');
    two.state({ b: 2 });
    await shows('b,2');
    await vi.waitFor(() => expect(one.channel('odds').subscribed).toBe(false), WAIT);
    two.closeAll();
  });

  it('is required, and a hook says so', async () => {
    const caught: unknown[] = [];
    class Boundary extends Component<{ children: ReactNode }> {
      override state = { failed: false };
      static getDerivedStateFromError = () => ({ failed: true });
      override render = () => (this.state.failed ? 'failed' : this.props.children);
    }
    root.unmount();
    root = createRoot(container, { onCaughtError: (error) => caught.push(error) });
    root.render(h(Boundary, null, h(component(() => `${useWeir()}`))));
    await shows('failed');
    expect(String(caught[0])).toContain('need a <WeirProvider>');
  });
});

describe('in StrictMode', () => {
  it('connects once, leaves nothing behind and logs nothing', async () => {
    const heard: number[] = [];
    const Board = component(() => {
      useCritical('odds', ({ id }) => heard.push(id));
      return `${[...useChannel<number>('odds')].join(' ')} ${useKey('odds', 'a') ?? '–'} ${useStatus()}`;
    });
    root.render(h(StrictMode, null, h(WeirProvider, { connect: () => cluster.connect() }, h(Board))));
    await open();
    cluster.state({ a: 1 });
    cluster.critical(1, 'x');
    await shows('a,1 1 open');
    await turn();
    expect(heard).toEqual([1]);
    expect(cluster.clients).toHaveLength(1);
    expect(cluster.visits).toHaveLength(1);
    expect(cluster.said).toEqual([]);
  });
});

describe('with concurrent rendering', () => {
  it('never commits two values of one key, even if it changes while a transition renders', async () => {
    const client = cluster.connect({ channels: ['odds'] });
    await open();
    cluster.state({ a: 1 });
    const commits: string[] = [];
    let rendered = 0;
    const slowly = (value: number | undefined): string => {
      // The frame arrives while React renders the rows.
      if (++rendered === 25) cluster.state({ a: 2 });
      const until = performance.now() + 1;
      while (performance.now() < until); // React pauses between rows
      return `${value}`;
    };
    const KeyRow = (): string => slowly(useKey<number>('odds', 'a'));
    const MapRow = (): string => slowly(useChannel<number>('odds').get('a'));
    let show: (rows: boolean) => void = () => {};
    const Page = (): ReactNode => {
      const [rows, setRows] = useState(false);
      show = setRows;
      useLayoutEffect(() => {
        if (rows) commits.push(container.textContent ?? '');
      });
      if (!rows) return 'none';
      return Array.from({ length: 50 }, (_, i) => h(i % 2 ? KeyRow : MapRow, { key: `${i}` }));
    };
    root.render(provided(client, h(Page)));
    await shows('none');
    startTransition(() => show(true));
    await shows('2'.repeat(50));
    expect(commits.length).toBeGreaterThan(0);
    for (const text of commits) expect(['1'.repeat(50), '2'.repeat(50)]).toContain(text);
  });
});

describe('after a server render', () => {
  it("hydrates the server's HTML, then shows the current state", async () => {
    const Board = component(
      () => `${[...useChannel<number>('odds')].join(' ')}|${useKey('odds', 'a') ?? '–'}|${useStatus()}`,
    );
    const client = cluster.connect({ channels: ['odds'] });
    await open();
    cluster.state({ a: 1 });
    root.unmount();
    container.innerHTML = renderToString(provided(client, h(Board)));
    expect(container.textContent).toBe('|–|connecting');
    const onRecoverableError = vi.fn();
    root = hydrateRoot(container, provided(client, h(Board)), { onRecoverableError });
    await shows('a,1|1|open');
    expect(onRecoverableError).not.toHaveBeenCalled();
  });
});
