// The feed that every peer broadcasts: the same messages at the same times, so that only the way of sending differs.

/** A feed's shape. */
export interface Feed {
  readonly tickMs: number;
  /** Messages a tick for each channel. */
  readonly messagesPerTick: number;
  readonly bytes: number;
  readonly channels: number;
}

/** One message of a channel, stamped with the time; `bytes` long as JSON text. */
export function message(bytes: number, seq: number): string {
  const head = `{"at":${(performance.timeOrigin + performance.now()).toFixed(3)},"seq":${seq},"pad":"`;
  return `${head}${'x'.repeat(Math.max(0, bytes - head.length - 2))}"}`;
}

/** Calls `publish` for every message of every tick while the bench plays; reports the number of ticks on request. */
export function runFeed(
  feed: Feed,
  publish: (channel: number, text: string) => void,
  flush: () => void,
): void {
  let seq = 0;
  let ticks = 0;
  let playing = false;
  setInterval(() => {
    if (!playing) return;
    ticks++;
    for (let channel = 0; channel < feed.channels; channel++) {
      for (let i = 0; i < feed.messagesPerTick; i++) publish(channel, message(feed.bytes, seq++));
    }
    flush();
  }, feed.tickMs);
  process.on('message', (order) => {
    if (order === 'play') playing = true;
    else if (order === 'pause') playing = false;
    else if (order === 'ticks') process.send?.({ ticks });
  });
}

/** Channels of a client from its URL: `/?c=1,2,3`. */
export function channelsOf(url: string | undefined): readonly number[] {
  return (new URL(url ?? '/', 'http://localhost').searchParams.get('c') ?? '0').split(',').map(Number);
}

/** The feed that the bench gave on the command line. */
export function feedFromArguments(): Feed {
  const [tickMs = 100, messagesPerTick = 1, bytes = 2_048, channels = 1] = process.argv.slice(2).map(Number);
  return { tickMs, messagesPerTick, bytes, channels };
}
