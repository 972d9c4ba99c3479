import { controlText, utf8Frame } from '@weir/protocol';

/** Says of channels that their critical messages begin anew: ids up to `after` count no more. */
export function resetFrames(channels: readonly string[], after: number): Buffer {
  const frames = channels.map((channel) =>
    utf8Frame(controlText({ type: 'gap', channel, lane: 'critical', after, reset: true })),
  );
  return Buffer.concat(frames);
}
