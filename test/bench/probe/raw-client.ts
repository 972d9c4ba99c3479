// A visit by a client with a habit of real stacks that misleads a careless probe: Nagle's algorithm left on, nothing
// read for a moment after the upgrade, or only the last of several pings answered.
import { opcodes, RawClient, type RawClientOptions } from '@weir/protocol/fakes';

export type Quirk = 'nagle' | 'deaf' | 'latest';

const HABITS: Readonly<Record<Quirk, RawClientOptions>> = {
  nagle: {},
  deaf: { noDelay: true, deafMs: 60 },
  latest: { noDelay: true, answers: 'latest' },
};

/** Resolves with the pool of the redirect. */
export async function visitRaw(url: string, quirk: Quirk): Promise<string> {
  const onFrame: RawClientOptions['onFrame'] = (client, { opcode, payload }) => {
    if (opcode !== opcodes.close) return;
    client.send(opcodes.close, payload);
    client.socket.end();
  };
  const client = await new RawClient(url, { ...HABITS[quirk], onFrame }).closed;
  const [redirect] = client.of('redirect');
  if (redirect === undefined) throw new Error(client.error ?? 'closed');
  return String(redirect['pool']);
}
