// Plays a recording of examples/ through the publisher, ten times as fast as it was.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import type { Publication, Publisher } from './publisher.ts';

const SPEED = 10;

/** Resolves with the number of messages that were kept or sent; `signal` ends it early. */
export async function playRecording(
  file: string,
  publisher: Publisher,
  signal: AbortSignal,
): Promise<number> {
  const lines = createInterface({ input: createReadStream(file).pipe(createGunzip()) });
  const beganMs = performance.now();
  let sent = 0;
  for await (const line of lines) {
    const { t, ...message }: Publication & { readonly t: number } = JSON.parse(line);
    const waitMs = beganMs + t / SPEED - performance.now();
    if (waitMs > 1) await delay(waitMs, undefined, { signal });
    const { status } = await publisher.send(message);
    if (status === 200) sent += 1;
  }
  return sent;
}
