// Goals are critical messages: each arrives once and in order, also across a reload of the page, because the client keeps its
// position in sessionStorage (`resume` in main.tsx). The goals that have arrived are kept there too.
import { useState } from 'react';
import { type Goal, useCritical } from './market.ts';

const KEY = 'goals';
const SHOWN = 50;

interface Entry {
  readonly id: number;
  readonly goal: Goal | 'missed';
}

function kept(): readonly Entry[] {
  return JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
}

export function Goals() {
  const [entries, setEntries] = useState(kept);
  const add = (entry: Entry): void => {
    sessionStorage.setItem(KEY, JSON.stringify([...kept(), entry].slice(-SHOWN)));
    setEntries(kept());
  };
  useCritical(
    'odds',
    ({ id, data }) => add({ id, goal: data }),
    ({ after }) => add({ id: after, goal: 'missed' }), // away for longer than the cluster keeps them
  );
  return (
    <section>
      <h2>Goals</h2>
      <ol>
        {entries.map(({ id, goal }) =>
          goal === 'missed' ? (
            <li key={`after ${id}`}>some goals are missing here</li>
          ) : (
            <li key={id}>{`${goal.match}: ${goal.score}`}</li>
          ),
        )}
      </ol>
    </section>
  );
}
