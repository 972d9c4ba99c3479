// A monotonic clock that all threads of a process share; that of `performance` begins anew in each.

/** Milliseconds that never go back; the origin means nothing. */
export function sharedMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
