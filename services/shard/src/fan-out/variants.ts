// The bytes of one group for one batch, in the few forms that members can need. Each form is built at most once.
import type { Batch, Form } from './batch.ts';
import { joined } from './batch.ts';
import type { Group } from './group.ts';

/** What a batch holds for one group. */
export class Variants {
  readonly stateFrames: number;
  readonly cosmeticFrames: number;
  readonly criticalFrames: number;
  readonly #full: Buffer;
  readonly #critical: Buffer;
  readonly #ping: () => Buffer;
  #fullPinged: Buffer | undefined;
  #criticalPinged: Buffer | undefined;

  /**
   * `tail` goes behind the frames for live members (their position, in the group's form already); `ping` is made when
   * first needed.
   */
  constructor(o: {
    readonly batch: Batch;
    readonly group: Group;
    readonly form: Form;
    readonly tail: Buffer | undefined;
    readonly ping: () => Buffer;
  }) {
    const { batch, group, form, tail, ping } = o;
    const critical: Buffer[] = [];
    const rest: Buffer[] = [];
    let stateFrames = 0;
    let cosmeticFrames = 0;
    for (const channel of group.channels) {
      const frames = batch.channels.get(channel);
      if (frames === undefined) continue;
      if (frames.critical.length > 0) critical.push(form(frames.critical));
      if (frames.state.length > 0) {
        rest.push(form(frames.state));
        stateFrames++;
      }
      if (frames.cosmetic.length > 0) {
        rest.push(form(frames.cosmetic));
        cosmeticFrames++;
      }
    }
    this.criticalFrames = critical.length;
    this.cosmeticFrames = cosmeticFrames;
    this.stateFrames = stateFrames;
    this.#critical = joined(critical);
    if (tail !== undefined) rest.push(tail);
    this.#full = rest.length === 0 ? this.#critical : joined([...critical, ...rest]);
    this.#ping = ping;
  }

  get fullBytes(): number {
    return this.#full.length;
  }

  get criticalBytes(): number {
    return this.#critical.length;
  }

  /** Everything, for a live member. */
  full(pinged: boolean): Buffer {
    if (!pinged) return this.#full;
    this.#fullPinged ??= Buffer.concat([this.#full, this.#ping()]);
    return this.#fullPinged;
  }

  /** Critical frames alone, for a congested member. */
  critical(pinged: boolean): Buffer {
    if (!pinged) return this.#critical;
    this.#criticalPinged ??= Buffer.concat([this.#critical, this.#ping()]);
    return this.#criticalPinged;
  }
}
