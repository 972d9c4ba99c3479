// The latest props of a component, for functions that run after its render.
import { useInsertionEffect, useRef } from 'react';

/** A holder of the value of the last committed render. The holder is the same at every render. */
export function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  // Runs before other effects, and not for a render that React discards.
  useInsertionEffect(() => {
    latest.current = value;
  });
  return latest;
}
