// Which threads accept. The kernel wakes all threads that wait for a client and the first one takes it, which favours
// some threads by far (tried with four threads and paced clients: 186, 148, 125, 41). Pure.

/** A thread pauses above this multiple of the least loaded one, and accepts again at the lower one. */
const PAUSE_ABOVE = 1.25;
const ACCEPT_UP_TO = 1.1;
/** A difference of this few clients is not worth a pause. */
const PAUSE_SLACK = 32;
const ACCEPT_SLACK = 16;

/**
 * Whether a thread goes on accepting, by its own number of clients, that of the least loaded thread, and whether it
 * accepts now. The least loaded thread always accepts.
 */
export function acceptsMore(mine: number, least: number, accepting: boolean): boolean {
  return accepting
    ? mine <= least * PAUSE_ABOVE + PAUSE_SLACK
    : mine <= Math.max(least * ACCEPT_UP_TO, least + ACCEPT_SLACK);
}

/** The number of clients of the least loaded thread among those whose doorway is open. */
export function leastOf(sockets: Int32Array, open: Int32Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (const [index, count] of sockets.entries()) if (open[index] === 1 && count < least) least = count;
  return least;
}
