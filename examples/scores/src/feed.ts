// The connection, and its channel as stores: `$matches` in a component is the newest value of every key.
import { connect } from '@weir/client';
import { readable } from 'svelte/store';

export interface Match {
  readonly home: number;
  readonly draw: number;
  readonly away: number;
  readonly score: string;
}

export interface Goal {
  readonly match: string;
  readonly score: string;
}

const weir = connect<{ odds: { state: Match; critical: Goal } }>({
  url: 'ws://127.0.0.1:7701',
  resume: sessionStorage,
});

/** A channel is a store as it is: it has `subscribe(run)`. */
export const matches = weir.channel('odds');

export const status = readable(weir.status, (set) => {
  set(weir.status);
  return weir.on('status', set);
});

const KEY = 'goals';
const SHOWN = 50;

function kept(): readonly string[] {
  return JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
}

/**
 * Goals are critical messages: each arrives once and in order, also across a reload of the page, because the client keeps
 * its position in sessionStorage (`resume` above). The goals that have arrived are kept there too.
 */
export const goals = readable(kept(), (set) => {
  const add = (line: string): void => {
    sessionStorage.setItem(KEY, JSON.stringify([...kept(), line].slice(-SHOWN)));
    set(kept());
  };
  const stops = [
    matches.on('critical', ({ data }) => add(`${data.match}: ${data.score}`)),
    matches.on('gap', () => add('some goals are missing here')), // away for longer than the cluster keeps them
  ];
  return () => {
    for (const stop of stops) stop();
  };
});
