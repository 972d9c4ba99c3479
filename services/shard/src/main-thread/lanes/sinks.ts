// Fills the lanes from what intake reads. While a stream is loaded, a new lane grows beside the old one, which is still
// served; then the new lane takes its place. Server times become times of this process's monotonic clock.
import type { CriticalEntry, CriticalLane } from './critical-lane.ts';
import type { LaneFacts, LaneSink } from './lane-sink.ts';
import type { Lanes } from './lanes.ts';
import type { Loss, LostState } from './lost-state.ts';
import { ROUNDING_MS } from './places.ts';
import type { StateLane } from './state-lane.ts';

/** The server lets messages go by their age when its own timer says so. */
const EXPIRY_SLACK_MS = 2_000;

/** The sink of the state lane. `onLoaded` is called after a lane was replaced, `onLost` if the new one lacks much of the old one. */
export function stateSink(o: {
  readonly lanes: Lanes;
  readonly lost: LostState;
  readonly make: () => StateLane;
  readonly nowMs: () => number;
  readonly onLoaded: () => void;
  readonly onLost: (loss: Loss) => void;
}): LaneSink {
  let loading:
    | {
        readonly lane: StateLane;
        readonly epoch: string;
        readonly offsetMs: number;
        readonly agesOut: boolean;
      }
    | undefined;
  /** The lane that messages go into. */
  const current = (): StateLane => loading?.lane ?? o.lanes.state;
  return {
    begin(epoch, facts) {
      const { serverNowMs, agesOut } = facts;
      loading = { lane: o.make(), epoch, offsetMs: o.nowMs() - serverNowMs, agesOut };
    },
    take(message) {
      const { channel, key, seq, timeMs } = message;
      const nowMs = o.nowMs();
      const lane = current();
      lane.places.note(seq, timeMs);
      if (loading === undefined) o.lost.back(channel, key);
      const applied =
        loading === undefined
          ? lane.apply(channel, message, nowMs)
          : lane.load(channel, message, { timeMs: timeMs + loading.offsetMs, nowMs });
      if (applied !== 'old') return applied;
      return lane.log(channel).has(key) === undefined ? 'new' : 'known';
    },
    skip({ seq, timeMs }) {
      const lane = current();
      lane.places.note(seq, timeMs);
      lane.advance(seq);
    },
    removals: () => current().cleanup,
    held: {
      after: (seq) => o.lanes.state.after(seq),
      has: (channel, key) => current().log(channel).has(key),
      isWhole: () => o.lanes.state.refused === 0,
    },
    cleanedUp(mark, timeMs) {
      const lane = current();
      const newness = lane.cleanup === undefined ? 'new' : 'known';
      lane.places.note(mark.seq, timeMs);
      lane.cleanedUp(mark);
      return newness;
    },
    loaded(seq) {
      if (loading === undefined) return;
      loading.lane.advance(seq);
      loading.lane.places.loaded(seq);
      const loss = o.lost.replaced(o.lanes.state, loading.lane, o.nowMs());
      loading.lane.forgetDeletions(o.nowMs());
      // Messages that aged out left no deletion behind: any position may lack one.
      if (loading.agesOut) loading.lane.raiseFloor(seq);
      o.lanes.state = loading.lane;
      o.lanes.stateEpoch = loading.epoch;
      loading = undefined;
      o.onLoaded();
      if (loss !== undefined) o.onLost(loss);
    },
  };
}

/**
 * The sink of the critical lane. After another epoch, clients get the messages that are newer than the last one of the
 * old epoch. `onLost` gets the number of messages that are still within their time and no longer in the stream.
 */
export function criticalSink(o: {
  readonly lanes: Lanes;
  readonly make: () => CriticalLane;
  readonly nowMs: () => number;
  readonly onNews: (channel: string, entry: CriticalEntry) => void;
  /** Messages of these channels, or of any, are gone unread. What was read before them is told first: `beforeLost`. */
  readonly beforeLost: () => void;
  readonly onUnread: (channels: readonly string[] | undefined) => void;
  readonly onLoaded: (where: { readonly afterSeq: number; readonly sinceSeq: number }) => void;
  readonly onLost: (messages: number) => void;
}): LaneSink {
  let loading:
    | {
        readonly lane: CriticalLane;
        readonly epoch: string;
        readonly facts: LaneFacts;
        readonly offsetMs: number;
        /** Up to here messages may have been sent to clients of some shard. */
        hadSeq: number;
        /** The end of the last hole in the stream. */
        holeSeq: number;
      }
    | undefined;
  /** Server time of the newest message that was had. */
  let newestMs = 0;
  let knownSeq = 0;
  /** Loaded messages that were had before. */
  let known = 0;
  return {
    begin(epoch, facts) {
      const lane = o.make();
      lane.lostBefore(facts.firstSeq);
      // A stream that is empty and new has a first sequence of 0.
      knownSeq = Math.max(0, facts.firstSeq - 1);
      known = 0;
      loading = { lane, epoch, facts, offsetMs: o.nowMs() - facts.serverNowMs, hadSeq: 0, holeSeq: 0 };
    },
    hadMs: () => newestMs,
    hadUpTo(hadMs) {
      o.lanes.criticalHadSeq = Math.max(o.lanes.criticalHadSeq, o.lanes.critical.seqStoredBy(hadMs));
    },
    take({ channel, value = 'null', seq, timeMs }) {
      if (loading === undefined) {
        newestMs = timeMs;
        const entry = { seq, value, timeMs: o.nowMs(), storedMs: timeMs };
        if (o.lanes.critical.append(channel, entry)) o.onNews(channel, entry);
        return 'new';
      }
      if (timeMs <= newestMs + ROUNDING_MS) {
        knownSeq = seq;
        known++;
      }
      if (timeMs <= Math.max(newestMs, loading.facts.hadMs) + ROUNDING_MS) loading.hadSeq = seq;
      loading.lane.append(channel, {
        seq,
        value,
        timeMs: timeMs + loading.offsetMs,
        storedMs: timeMs,
      });
      return 'new';
    },
    skip({ seq }) {
      (loading?.lane ?? o.lanes.critical).advance(seq);
    },
    lost(upToSeq, channels) {
      if (loading !== undefined) {
        loading.holeSeq = upToSeq;
        return;
      }
      o.beforeLost();
      o.lanes.critical.lose(upToSeq, channels);
      o.onUnread(channels);
    },
    owed: (facts) => o.lanes.critical.kept({ ...facts, slackMs: EXPIRY_SLACK_MS }),
    loaded(seq) {
      if (loading === undefined) return;
      const afterSeq = o.lanes.critical.seq;
      // Messages that were about to age out do not count as lost.
      o.lanes.critical.expire(o.nowMs() + EXPIRY_SLACK_MS);
      const lost = o.lanes.critical.messages - known;
      loading.lane.advance(seq);
      loading.lane.sealLoaded(loading.facts.maxPerSubject, loading.holeSeq);
      o.lanes.critical = loading.lane;
      o.lanes.criticalEpoch = loading.epoch;
      o.lanes.criticalHadSeq = loading.hadSeq;
      // Not only up to its newest message: a copy may bring back older ones that shards before this one have sent.
      newestMs = Math.max(newestMs, loading.facts.serverNowMs);
      loading = undefined;
      o.onLoaded({ afterSeq, sinceSeq: knownSeq });
      if (lost > 0) o.onLost(lost);
    },
  };
}
