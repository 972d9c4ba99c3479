// A message's JSON from standard input, within bounds.
import { trimmed } from '../parse/raw-json.ts';
import type { Input } from '../replay/open-input.ts';
import { UsageError } from './arguments.ts';

/** Far more than a message may have, because the message's own limit does not count white space around it. */
const maxBytes = 1_048_576;

/** The whole input without white space around it: an editor's or echo's newline is not part of a value. */
export async function readValue(input: Input): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input.chunks()) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new UsageError(`${input.name} holds more than ${maxBytes} bytes, no message`);
    chunks.push(chunk);
  }
  const value = trimmed(Buffer.concat(chunks));
  if (value.length === 0) throw new UsageError(`${input.name} is empty: there is no JSON in it`);
  return value;
}
