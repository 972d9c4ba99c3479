// Runs the rule of decision.ts on one socket: writes its steps, times the pongs, keeps the timers. Decides nothing
// itself. Must never have two steps out (except the repeated first ping), never outlive its result.

import type { Confidence } from '@weir/protocol';
import type { TrainName } from './constants.ts';
import * as K from './constants.ts';
import { decide, type Verdict } from './decision.ts';
import { type Step, weigh } from './evidence.ts';
import { createPads, type Pads, sameBytes, stepBytes } from './frames.ts';

export { createProbeBudget } from './budget.ts';
export { DEFAULT_LIMITS } from './constants.ts';
export { watchLoop } from './loop-watch.ts';

export interface ProbeResult {
  /**
   * measured: the rule decided on answered steps. silent: no pong came by the deadline. closed, closedOnPad: the client
   * left, the latter after a pad (so do not pad it again). noBudget: no pad could be sent, only the RTT is known. told:
   * not measured here, a shard is certain.
   */
  readonly outcome: 'measured' | 'silent' | 'closed' | 'closedOnPad' | 'noBudget' | 'told';
  readonly rttMs?: number;
  /** Absent if no rate was measured, or if a rate over the threshold was not confirmed. */
  readonly kbps?: number;
  readonly class: 'fast' | 'slow';
  readonly confidence: Confidence;
  /** The line of the rule that decided; absent if the client left first. */
  readonly line?: number;
  /** Bytes that the probe wrote, pads and pings. */
  readonly bytes: number;
  readonly tookMs: number;
  readonly trains: number;
}

export interface ProbeSocket {
  /** Writes to the duplex of `handleUpgrade`. */
  write(bytes: Uint8Array): boolean;
  /** Both return a function that removes the listener. */
  onPong(listener: (payload: Uint8Array) => void): () => void;
  onClose(listener: () => void): () => void;
}

export interface ProbeLimits {
  readonly deadlineMs: number;
  readonly maxBytes: number;
  readonly rateThresholdKbps: number;
  readonly rttThresholdMs: number;
}

type TimerHandle = ReturnType<typeof setTimeout> | number;

export interface ProbeOptions {
  readonly limits: ProbeLimits;
  readonly budget: { take(bytes: number): boolean };
  readonly clock: { monotonicMs(): number };
  readonly setTimer?: (run: () => void, delayMs: number) => TimerHandle;
  readonly clearTimer?: (timer: TimerHandle) => void;
  readonly random: (bytes: number) => Uint8Array;
  /** `watchLoop`; by default the process counts as idle. */
  readonly watchLoop?: () => () => number;
}

export interface Probe {
  /** Call it in the same turn as the write of the 101: it sends the first ping at once and starts the clock. */
  run(socket: ProbeSocket, o: { readonly padding: boolean }): Promise<ProbeResult>;
}

export function createProbe(o: ProbeOptions): Probe {
  const setTimer = o.setTimer ?? ((run, delayMs) => setTimeout(run, delayMs));
  const clearTimer = o.clearTimer ?? ((timer) => clearTimeout(timer));
  const watchLoop = o.watchLoop ?? (() => () => 0);
  const kit: Kit = { ...o, setTimer, clearTimer, watchLoop, pads: createPads(o.random) };
  return {
    run: (socket, { padding }) =>
      new Promise((resolve) => new ProbeRun(kit, socket, padding, resolve).start()),
  };
}

type Kit = Required<ProbeOptions> & { readonly pads: Pads };

/** A step under way: the rule's view, and the socket's data. */
interface SentStep {
  step: Step;
  readonly nonce: Uint8Array;
}

class ProbeRun {
  readonly #kit: Kit;
  readonly #socket: ProbeSocket;
  readonly #resolve: (result: ProbeResult) => void;
  readonly #startedMs: number;
  readonly #busyRatio: () => number;
  readonly #sent: SentStep[] = [];
  readonly #release: (() => void)[] = [];
  #padding: boolean;
  #budgetEmpty = false;
  #bytes = 0;
  #timer: TimerHandle | undefined;
  #over = false;

  constructor(kit: Kit, socket: ProbeSocket, padding: boolean, resolve: (result: ProbeResult) => void) {
    this.#kit = kit;
    this.#socket = socket;
    this.#padding = padding;
    this.#resolve = resolve;
    this.#startedMs = kit.clock.monotonicMs();
    this.#busyRatio = kit.watchLoop();
  }

  start(): void {
    this.#release.push(
      this.#socket.onPong((payload) => this.#pong(payload)),
      this.#socket.onClose(() => this.#closed()),
    );
    this.#advance();
  }

  #now(): number {
    return this.#kit.clock.monotonicMs() - this.#startedMs;
  }

  #steps(): readonly Step[] {
    return this.#sent.map((sent) => sent.step);
  }

  /** Asks the rule for the next step until it says to wait. */
  #advance(): void {
    while (!this.#over) {
      const nowMs = this.#now();
      const act = decide(this.#steps(), nowMs, { ...this.#kit.limits, padding: this.#padding });
      if (act.act === 'ping') this.#send('lone', undefined);
      else if (act.act === 'train') this.#sendTrain(act.train);
      else if (act.act === 'decide') this.#decided(act);
      else {
        this.#waitUntil(act.untilMs, nowMs);
        return;
      }
    }
  }

  #sendTrain(name: TrainName): void {
    const pad = this.#kit.pads[name];
    if (this.#kit.budget.take(pad.length + K.PING_FRAME_BYTES)) {
      this.#send(name, pad);
      return;
    }
    this.#padding = false;
    this.#budgetEmpty = true;
  }

  #send(kind: Step['kind'], pad: Uint8Array | undefined): void {
    const nonce = this.#kit.random(K.NONCE_BYTES);
    const bytes = stepBytes(pad, nonce);
    const step: Step = { kind, padBytes: pad?.length ?? 0, sentMs: this.#now() };
    this.#sent.push({ step, nonce });
    this.#bytes += bytes.length;
    this.#socket.write(bytes);
  }

  /** Only a pong with the payload of a ping that is out counts; every other pong is ignored. */
  #pong(payload: Uint8Array): void {
    const sent = this.#sent.find((one) => one.step.pongMs === undefined && sameBytes(one.nonce, payload));
    if (this.#over || sent === undefined) return;
    sent.step = { ...sent.step, pongMs: this.#now() };
    this.#advance();
  }

  #waitUntil(untilMs: number, nowMs: number): void {
    this.#clearTimer();
    this.#timer = this.#kit.setTimer(
      () => {
        this.#timer = undefined;
        this.#advance();
      },
      Math.max(1, Math.ceil(untilMs - nowMs)),
    );
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#kit.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #decided(verdict: Verdict): void {
    const { rttMs, trains } = weigh(this.#steps());
    const rttOnly = this.#budgetEmpty && trains.length === 0;
    // A client that looks slow to a busy process may only have waited for the process.
    const ownFault = verdict.class === 'slow' && this.#busyRatio() >= K.BUSY_RATIO;
    this.#finish({
      outcome: rttMs === undefined ? 'silent' : rttOnly ? 'noBudget' : 'measured',
      class: verdict.class,
      confidence: ownFault ? 'low' : verdict.confidence,
      line: verdict.line,
      ...(verdict.kbps !== undefined ? { kbps: verdict.kbps } : {}),
    });
  }

  #closed(): void {
    const padded = this.#sent.some((sent) => sent.step.kind !== 'lone');
    this.#finish({ outcome: padded ? 'closedOnPad' : 'closed', class: 'slow', confidence: 'low' });
  }

  #finish(found: Pick<ProbeResult, 'outcome' | 'class' | 'confidence' | 'kbps' | 'line'>): void {
    if (this.#over) return;
    this.#over = true;
    this.#clearTimer();
    // The socket may report its end during the call: start() then releases the listener.
    queueMicrotask(() => {
      for (const release of this.#release) release();
    });
    const { rttMs } = weigh(this.#steps());
    this.#resolve({
      ...found,
      ...(rttMs !== undefined ? { rttMs } : {}),
      bytes: this.#bytes,
      tookMs: this.#now(),
      trains: this.#sent.filter((sent) => sent.step.kind !== 'lone').length,
    });
  }
}
