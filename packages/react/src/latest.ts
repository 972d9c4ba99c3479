// What a component was last given, for functions that run after its render.
import { useInsertionEffect, useRef } from 'react';

/** A holder of the value of the last render that was committed. It is the same holder at every render. */
export function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  // Runs before the other effects, and not for a render that React throws away.
  useInsertionEffect(() => {
    latest.current = value;
  });
  return latest;
}
