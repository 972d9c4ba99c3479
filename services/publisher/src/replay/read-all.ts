// Reads all chunks of a stream, including those before a failure.
import type { Readable } from 'node:stream';

/**
 * All chunks of a stream. Unlike the stream's own iterator it also returns the chunks that were buffered before a
 * failure: the same broken file always ends at the same line.
 */
export async function* readAll(stream: Readable): AsyncGenerator<Buffer> {
  let failure: unknown;
  let over = stream.closed;
  let wake = (): void => undefined;
  stream.on('readable', () => wake());
  stream.on('error', (error) => {
    failure = error;
    wake();
  });
  for (const event of ['end', 'close']) {
    stream.on(event, () => {
      over = true;
      wake();
    });
  }
  try {
    for (;;) {
      const chunk: unknown = stream.read();
      if (chunk instanceof Buffer) yield chunk;
      else if (failure !== undefined) throw failure;
      else if (over) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    stream.destroy();
  }
}
