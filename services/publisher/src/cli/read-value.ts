// A message's JSON from standard input, within bounds.
import { trimmed } from '../parse/raw-json.ts';
import type { Input } from '../replay/open-input.ts';
import { UsageError } from './arguments.ts';

/** Far more than a message may have; white space around it is not counted by the message's own limit. */
const maxBytes = 1_048_576;

/** All of an input without the white space around it: an editor's or echo's newline is not part of a value. */
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
