// The hooks without a DOM: a page rendered on a server opens no connection.
import { createElement as h } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, it } from 'vitest';
import { FakeCluster } from './fakes/fake-cluster.ts';
import { useChannel, useCritical, useKey, useStatus, useWeir, WeirProvider } from './index.ts';

const Board = (): string => {
  useCritical('odds', () => {});
  return `${useChannel('odds').size} ${useKey('odds', 'a')} ${useStatus()} ${useWeir()?.status}`;
};

it('renders an empty board without connecting', () => {
  const cluster = new FakeCluster();
  const html = renderToString(h(WeirProvider, { connect: () => cluster.connect() }, h(Board)));
  expect(html).toBe('0 undefined connecting undefined');
  expect(cluster.clients).toEqual([]);
});

it('renders without a client', () => {
  expect(renderToString(h(WeirProvider, { client: undefined }, h(Board)))).toContain('connecting');
});
