// Counts the messages on a stream's subjects for a moment, and the stream's progress in that time. An edge of the
// window is a message that the stream refuses with its last sequence. The edge passes through the server's queue like
// all other messages, no stream stores it, and subscribers see it at the same place. Bounded in messages and in time.
import type { JetStreamApiError } from '@nats-io/jetstream';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { headers } from '@nats-io/transport-node';
import type { Window } from './window.ts';

/** The counted subjects and the limits. */
export interface CountOptions {
  /** All subjects of the stream. */
  readonly subjects: string;
  /** One of them on which the stream never stores a message. */
  readonly edgeSubject: string;
  readonly windowMs: number;
  readonly maxMessages: number;
}

/** The stream refused an edge for another reason, or was recreated meanwhile: the window has no result. */
class NoWindowError extends Error {
  readonly code = 'NO_WINDOW';

  constructor(reason: string) {
    super(`the stream could not be measured: ${reason}`);
    this.name = 'NoWindowError';
  }
}

const EXPECTED = 'Nats-Expected-Last-Sequence';
/** No stream ever reaches this sequence. */
const NEVER = String(Number.MAX_SAFE_INTEGER);
const WRONG_LAST_SEQUENCE: JetStreamApiError['code'] = 10071;
/** An overloaded stream discards edges, too: each try waits twice as long for an answer as the one before. */
const EDGE_WAITS_MS = [125, 250, 500, 1_000, 2_000];
const REFUSABLE = ['Nats-Msg-Id', EXPECTED, 'Nats-Expected-Last-Subject-Sequence', 'Nats-Expected-Stream'];

interface Tally {
  counted: number;
  refusable: number;
}

/** Counts one window; rejects if it has no result. */
export async function countWindow(connection: NatsConnection, o: CountOptions): Promise<Window> {
  const tally: Tally = { counted: 0, refusable: 0 };
  const edges = new Map<string, Tally>();
  let enough: () => void = () => undefined;
  const full = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const subscription = connection.subscribe(o.subjects, {
    // Above it the server sends no more messages; three quarters are left for the messages until the last edge.
    max: o.maxMessages,
    callback: (error, message) => {
      if (error !== null) return;
      if (message.subject === o.edgeSubject) {
        edges.set(message.string(), { ...tally });
        return;
      }
      tally.counted++;
      if (message.headers !== undefined && isRefusable(message)) tally.refusable++;
      if (tally.counted * 4 >= o.maxMessages) enough();
    },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    await connection.flush();
    const first = await edge(connection, o.edgeSubject);
    await Promise.race([
      full,
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, o.windowMs);
      }),
    ]);
    const last = await edge(connection, o.edgeSubject);
    return between(edges.get(first.id), edges.get(last.id), last.seq - first.seq);
  } finally {
    clearTimeout(timer);
    subscription.unsubscribe();
  }
}

function between(first: Tally | undefined, last: Tally | undefined, stored: number): Window {
  if (first === undefined || last === undefined) throw new NoWindowError('too many messages for one window');
  if (stored < 0) throw new NoWindowError('its sequences went back');
  return {
    counted: last.counted - first.counted,
    refusable: last.refusable - first.refusable,
    stored,
  };
}

/** Sends edges until the stream answers one with its last sequence at that place. */
async function edge(
  connection: NatsConnection,
  subject: string,
): Promise<{ readonly id: string; readonly seq: number }> {
  const expected = headers();
  expected.set(EXPECTED, NEVER);
  let failure: unknown;
  for (const timeout of EDGE_WAITS_MS) {
    const id = `${process.pid}-${performance.now()}`;
    try {
      const reply = await connection.request(subject, id, { headers: expected, timeout });
      return { id, seq: lastSeqIn(reply) };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** The answer is an error whose text ends with the last sequence. */
function lastSeqIn(reply: Msg): number {
  const { error }: { error?: { err_code?: unknown; description?: unknown } } = Object(reply.json());
  const seq = Number(/(\d+)$/.exec(String(error?.description))?.[1]);
  if (error?.err_code !== WRONG_LAST_SEQUENCE || !Number.isSafeInteger(seq))
    throw new NoWindowError(String(error?.description));
  return seq;
}

function isRefusable({ headers: all }: Msg): boolean {
  return REFUSABLE.some((name) => all?.has(name));
}
