// The oracle of state: once writes have stopped, a client's maps equal the stream. The stream is read straight from
// JetStream: the last message of each subject, where an empty message is a deletion.
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

/** Channel, then key, then the JSON of the value. */
export type State = ReadonlyMap<string, ReadonlyMap<string, string>>;

const STREAM = 'WEIR_STATE';
const SUBJECT = 'weir.state.';

/** The current content of the state stream. */
export async function streamState(nats: NatsConnection): Promise<State> {
  const manager = await jetstreamManager(nats);
  const info = await manager.streams.info(STREAM, { subjects_filter: `${SUBJECT}>` });
  const subjects = Object.keys(info.state.subjects ?? {});
  const messages = await Promise.all(
    subjects.map(async (subject) => await manager.direct.getMessage(STREAM, { last_by_subj: subject })),
  );
  const state = new Map<string, Map<string, string>>();
  for (const message of messages) {
    if (message === null || message.data.length === 0) continue;
    const [channel, key] = split(message.subject.slice(SUBJECT.length));
    const keys = state.get(channel) ?? new Map<string, string>();
    state.set(channel, keys);
    const value = parsed(message.string());
    if (value !== undefined) keys.set(key, JSON.stringify(value));
  }
  return state;
}

/** Undefined for invalid JSON, which shards do not broadcast. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function split(name: string): readonly [channel: string, key: string] {
  const at = name.lastIndexOf('.');
  return [name.slice(0, at), name.slice(at + 1)];
}

/** Differences between these channels of a client and the stream, key by key. */
export function differences(stream: State, client: State): readonly string[] {
  const found: string[] = [];
  for (const [channel, has] of client) {
    const wanted = stream.get(channel) ?? new Map<string, string>();
    for (const key of new Set([...wanted.keys(), ...has.keys()])) {
      const [is, right] = [has.get(key), wanted.get(key)];
      if (is !== right) found.push(`${channel} ${key} is ${cut(is)}, and in the stream ${cut(right)}`);
    }
  }
  return found;
}

function cut(value: string | undefined): string {
  return value === undefined ? 'not there' : value.slice(0, 60);
}
