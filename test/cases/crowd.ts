// Many clients by SDK in this process, and what each of them did and got: when it visited the router, which messages
// it had. Judges nothing.
import type { Channel, ReconnectOptions, Weir } from '@weir/client';
import { connect } from '@weir/client';
import { WebSocket } from 'ws';

interface Member {
  readonly weir: Weir;
  readonly channel: Channel;
  /** Data of critical messages, in the order in which they came. */
  readonly got: number[];
  readonly gaps: unknown[];
  /** When it visited the router. */
  readonly visitsAtMs: number[];
}

/** `url` is that of the router. */
export function join(url: string, channel: string, reconnect: ReconnectOptions): Member {
  const visitsAtMs: number[] = [];
  class Counted extends WebSocket {
    constructor(address: string, protocols: string[] = []) {
      if (address.includes('/v1/connect')) visitsAtMs.push(performance.now());
      super(address, protocols, { perMessageDeflate: false });
    }
  }
  const weir = connect({ url, channels: [channel], WebSocket: Counted, reconnect });
  const handle = weir.channel(channel);
  const member: Member = { weir, channel: handle, got: [], gaps: [], visitsAtMs };
  handle.on('critical', ({ data }) => member.got.push(Number(data)));
  handle.on('gap', (gap) => member.gaps.push(gap));
  return member;
}

export interface Visits {
  readonly all: number;
  /** Of the client that needed most. */
  readonly most: number;
  /** The part of all that fell into the fullest second. */
  readonly fullestSecond: number;
}

/** The visits to the router from a moment on. */
export function visitsSince(members: readonly Member[], sinceMs: number): Visits {
  const perSecond = new Map<number, number>();
  let most = 0;
  let all = 0;
  for (const { visitsAtMs } of members) {
    const mine = visitsAtMs.filter((atMs) => atMs >= sinceMs);
    most = Math.max(most, mine.length);
    all += mine.length;
    for (const atMs of mine) {
      const second = Math.floor((atMs - sinceMs) / 1_000);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
    }
  }
  return { all, most, fullestSecond: Math.max(0, ...perSecond.values()) / Math.max(1, all) };
}
