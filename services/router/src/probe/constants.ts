// Every number of the probe with its source; docs/probe.md explains the rule that uses them. Contains no logic. The
// rule uses no number from elsewhere.

/** One pad frame on the wire: 2 bytes of header and 125 of payload, the largest control frame of RFC 6455 (5.5). */
export { PAD_FRAME_BYTES } from '@weir/protocol';

/** 64 random bits: a pong cannot be sent ahead of its ping by guessing. */
export const NONCE_BYTES = 8;
export const PING_FRAME_BYTES = 10;

export type TrainName = 'A' | 'R' | 'Z' | 'E' | 's';

/**
 * Pad frames per train. A: with the 101 and the first ping it stays within the ten segments that Linux neither
 * limits (initial window, RFC 6928) nor paces. R: seven segments, cubic's window after one loss.
 * Z: 2 x 8 segments, the window after A. E: fills up to the bound of bytes. s: two segments, for links where A itself
 * would be a burden.
 */
export const TRAIN_FRAMES: Readonly<Record<TrainName, number>> = { A: 86, R: 79, Z: 173, E: 130, s: 15 };

export const DEFAULT_LIMITS = {
  /** A client that is undecided at this time is slow. */
  deadlineMs: 1500,
  /** Maximum bytes that the probe writes, including pings. */
  maxBytes: 40_000,
  /** Facebook network-connection-class: EXCELLENT begins at 2000 kbit/s. */
  rateThresholdKbps: 2000,
  /** W3C Network Information and Chromium: "3g" begins at 270 (272) ms. */
  rttThresholdMs: 270,
} as const;

/** No step starts so late that its answer could only come in the last moment before the deadline. */
export const DEADLINE_RESERVE_MS = 20;

/**
 * A first ping that is unanswered for this time is sent once more: some proxies and clients lose bytes that share a
 * segment with the 101. It is 2.6 times the RTT threshold and beyond a first TCP retransmission (RTT + 200 ms). Only a
 * lost ping, or a link that is slow anyway, gets a second one. The rest of the 1500 ms is enough for a whole
 * measurement at RTT <= 200 ms.
 */
export const REPEAT_FIRST_PING_MS = 700;

/** A second ping that is unanswered for this many RTT thresholds proves a high RTT. */
export const SECOND_PING_RTTS = 1.25;

/** A train below this part of the threshold is slow; two slow ones that agree are needed (one loss looks slow). */
export const SLOW_TRAIN_RATIO = 0.5;
/** The same for s: 50 ms at 2 Mbit/s. */
export const SLOW_SMALL_RATIO = 0.1524;
/** Two slow trains agree if the smaller rate is at least this part of the larger. */
export const SLOW_AGREE_RATIO = 0.6;
/**
 * A train without a slow one before it is given up after 700 ms + 2 RTT: TCP's second retransmission comes at 600 ms +
 * RTT.
 */
export const GIVE_UP_MS = 700;
export const GIVE_UP_RTTS = 2;

/** From this RTT on a slow link is likely, so s goes first; it costs fast clients one RTT. */
export const SMALL_FIRST_RTT_MS = 220;
/** A below this part of the threshold is followed by s, not by R: the same answer for a fifth of the bytes. */
export const SMALL_NEXT_RATIO = 0.15;

/** From 2 T, one valid confirmation is enough; 1.25 T tripled false "fast" at 10..15 ms of jitter. */
export const CLEARLY_FAST_RATIO = 2;
/**
 * Between T and 2 T one train is enough if two lone pings agree: their difference and this margin are added to its
 * time. On 1.48 Mbit/s both pings would have to be 27 ms late, and the train not at all. In a Monte Carlo of 10,000
 * visits per link it took 3 Mbit/s at 60 ms from 343 to 220 ms; with 0 twice as many of 1.48 Mbit/s with 10 ms of
 * jitter read as fast.
 */
export const QUIET_MARGIN_MS = 9;
export const QUIET_PINGS = 2;
/** Without subtracting any RTT: no jitter can make a train arrive before it was sent. */
export const RAW_FAST_RATIO = 1.25;
/** Maximum RTT for Z: beyond ten segments BBR paces at 2.89 x 14480 B / RTT, which is 3.0 Mbit/s at 110 ms. */
export const LONG_TRAIN_RTT_MS = 110;
/** Time that a further train needs: two RTTs (its own, a confirmation's) and this. */
export const TRAIN_ROOM_RTTS = 2;
export const TRAIN_ROOM_MS = 60;

/** A and R both below this part of the threshold and within this part of each other: slow. */
export const PAIR_SLOW_RATIO = 0.8;
export const PAIR_AGREE_RATIO = 0.8;

/** A confirmation that took this much longer than the train itself says nothing about the RTT. */
export const VALID_CONFIRMATION_MS = 40;
/** A first ping within this of the smallest RTT met a client that was awake. */
export const WARM_MS = 15;
/**
 * With one confirmation 15 % of 1.48 Mbit/s links with a cold client and 10 ms of jitter read as fast, with four 0.9
 * %.
 */
export const CONFIRMATIONS = 4;
/**
 * Two are enough if Z alone, on which noise weighs half as much as on A, is this far over the threshold, or all trains
 * are this far below it: that changed no class in a Monte Carlo of 4,000 visits per link (1 to 4 Mbit/s, jitter 2 to
 * 25 ms, awake and cold clients), and it spares two RTTs.
 */
export const CLEAR_CONFIRMATIONS = 2;
export const LONG_FAST_RATIO = 1.2;
export const CLEARLY_SLOW_RATIO = 0.8;
export const MAX_CONFIRMATION_PINGS = 6;
/**
 * How far the RTT is moved from the smallest towards the mean: 0 doubles false "slow", 1 raises false "fast" fivefold.
 * It was 0.5 before line 5 accepted one train between T and 2 T; 0.4 compensates for that (1.48 Mbit/s, 10 ms of
 * jitter: 0.80 % read as fast before, 0.57 % now; 2.55 Mbit/s: 95.6 % before, 94.8 % now).
 */
export const MEAN_WEIGHT = 0.4;
/** Below T / 1.5 no further confirmation changes the answer. */
export const WORTH_CONFIRMING_RATIO = 0.667;
/** Without time left but with some confirmation: fast only above this. */
export const LATE_FAST_RATIO = 1.1;
export const LATE_LONE_PINGS = 2;

/** Smaller times are timer noise, not a rate. */
export const MIN_SPREAD_MS = 0.5;

/** |log2(measured / threshold)|: below a third low (that is the band of the hysteresis), from two thirds on high. */
export const CONFIDENCE_MEDIUM = 0.333;
export const CONFIDENCE_HIGH = 0.667;

/** Maximum pings without any pad, if only the RTT can be measured. */
export const RTT_ONLY_PINGS = 2;

/** From this busy share of the event loop, the times are the process's own as much as the client's. */
export const BUSY_RATIO = 0.9;
