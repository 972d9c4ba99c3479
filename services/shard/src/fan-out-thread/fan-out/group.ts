// Connections with the same channels in the same form: all members that are live get the same bytes. The group holds
// those bytes for the batch that is being written, and builds each variant at most once.
import type { FormName } from '../../port/frames-table.ts';
import type { Connection } from '../connection/connection.ts';
import type { Batch } from './batch.ts';
import type { Channel } from './channels.ts';

const EMPTY = Buffer.alloc(0);
/**
 * Up to this size, bytes for one client whose socket takes them at once come from the shared slab, which costs less
 * than a buffer of their own.
 */
const SLAB_BYTES = 2_048;

export class Group {
  readonly key: string;
  readonly form: FormName;
  readonly channels: readonly Channel[];
  readonly names: readonly string[];
  /** Hashes of the channels, as positions carry them. */
  readonly hashes: string;
  readonly members: Connection[] = [];
  /** When the members last got a position, and at which heads. */
  positionMs = 0;
  positionHead = '';
  /** Whether the members got anything since. */
  fed = false;
  /** Number of the last batch that was found to concern the group. */
  touchedBy = 0;

  /** Number of the batch that the fields below describe. */
  batch = 0;
  stateFrames = 0;
  cosmeticFrames = 0;
  criticalFrames = 0;
  criticalBytes = 0;
  /** Bytes of everything, without a ping. */
  fullBytes = 0;
  /** Number of the last batch that a position went with. */
  positionBatch = 0;
  #batch: Batch | undefined;
  /** Places of each channel's frames in the batch; -1 for a channel without frames. */
  readonly #places: Int32Array;
  #position: Buffer = EMPTY;
  #full: Buffer | undefined;
  #critical: Buffer | undefined;
  #fullPinged: Buffer | undefined;
  #criticalPinged: Buffer | undefined;
  /** The pings that are in them. */
  #fullPing: Buffer | undefined;
  #criticalPing: Buffer | undefined;

  constructor(key: string, channels: readonly Channel[], form: FormName) {
    this.key = key;
    this.form = form;
    this.channels = channels;
    this.names = channels.map(({ name }) => name);
    this.hashes = channels.map(({ hash }) => hash).join('');
    this.#places = new Int32Array(channels.length);
  }

  /** The periods for which its channels have been wanted in its form. */
  get stints(): string {
    return this.channels.map(({ stint }) => stint[this.form]).join(' ');
  }

  add(connection: Connection): void {
    connection.slot = this.members.length;
    this.members.push(connection);
  }

  /** Removes a member in constant time: the last one takes its slot. */
  remove(connection: Connection): void {
    const last = this.members.pop();
    if (last === undefined || last === connection) return;
    this.members[connection.slot] = last;
    last.slot = connection.slot;
  }

  /** Measures what a batch has for this group. */
  measure(batch: Batch): void {
    this.release();
    this.batch = batch.number;
    this.#batch = batch;
    const { frames } = batch;
    let critical = 0;
    let rest = 0;
    this.stateFrames = 0;
    this.cosmeticFrames = 0;
    this.criticalFrames = 0;
    let at = 0;
    for (const { id } of this.channels) {
      const place = frames.find(id, this.form);
      this.#places[at++] = place;
      if (place < 0) continue;
      const criticalBytes = frames.criticalBytes(place);
      const stateBytes = frames.stateBytes(place);
      const cosmeticBytes = frames.cosmeticBytes(place);
      if (criticalBytes > 0) this.criticalFrames++;
      if (stateBytes > 0) this.stateFrames++;
      if (cosmeticBytes > 0) this.cosmeticFrames++;
      critical += criticalBytes;
      rest += stateBytes + cosmeticBytes;
    }
    this.criticalBytes = critical;
    this.fullBytes = critical + rest;
  }

  /** Adds the position that goes behind the frames of the batch. */
  addPosition(position: Buffer): void {
    this.#position = position;
    this.fullBytes += position.length;
  }

  /** Lets go of the frames of the batch, so that they are kept no longer than needed. */
  release(): void {
    this.#batch = undefined;
    this.#full = undefined;
    this.#critical = undefined;
    this.#fullPinged = undefined;
    this.#criticalPinged = undefined;
    this.#position = EMPTY;
    this.batch = 0;
  }

  /** Everything, for a live member. */
  full(ping: Buffer | undefined): Buffer {
    if (ping === undefined) {
      this.#full ??= this.#built(this.fullBytes, undefined);
      return this.#full;
    }
    if (this.#fullPinged === undefined || this.#fullPing !== ping) {
      this.#fullPinged =
        this.#full === undefined ? this.#built(this.fullBytes, ping) : Buffer.concat([this.#full, ping]);
      this.#full ??= this.#fullPinged.subarray(0, this.fullBytes);
      this.#fullPing = ping;
    }
    return this.#fullPinged;
  }

  /** Critical frames alone, for a member whose state is held back. */
  critical(ping: Buffer | undefined): Buffer {
    this.#critical ??= this.#built(this.criticalBytes, undefined);
    if (ping === undefined) return this.#critical;
    if (this.#criticalPinged === undefined || this.#criticalPing !== ping) {
      this.#criticalPinged = Buffer.concat([this.#critical, ping]);
      this.#criticalPing = ping;
    }
    return this.#criticalPinged;
  }

  /** Critical frames first, then all other frames if `size` has room for them, then the ping. */
  #built(size: number, ping: Buffer | undefined): Buffer {
    const batch = this.#batch;
    if (batch === undefined) return EMPTY;
    const { frames } = batch;
    const { bytes } = frames;
    const total = size + (ping?.length ?? 0);
    // A buffer of its own: it lives as long as the slowest socket, and must not keep the whole hand-over alive.
    const [only] = this.members;
    const small = total <= SLAB_BYTES && this.members.length === 1 && only?.socket.writableLength === 0;
    const target = small ? Buffer.allocUnsafe(total) : Buffer.allocUnsafeSlow(total);
    let at = 0;
    if (this.criticalBytes > 0) {
      for (const place of this.#places) {
        if (place < 0) continue;
        const from = frames.at(place);
        at += bytes.copy(target, at, from, from + frames.criticalBytes(place));
      }
    }
    if (size > this.criticalBytes) {
      for (const place of this.#places) {
        if (place < 0) continue;
        const from = frames.at(place) + frames.criticalBytes(place);
        const length = frames.stateBytes(place) + frames.cosmeticBytes(place);
        if (length > 0) at += bytes.copy(target, at, from, from + length);
      }
      if (this.#position.length > 0) at += this.#position.copy(target, at);
    }
    ping?.copy(target, at);
    return target;
  }
}

/** The key of a set of channels in one form. */
export function groupKey(channels: readonly string[], form: FormName): string {
  return `${form} ${[...channels].sort().join(',')}`;
}
