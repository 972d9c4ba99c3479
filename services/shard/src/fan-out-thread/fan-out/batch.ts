import type { FramesTable } from '../../port/frames-table.ts';
import type { HandOver } from '../../port/messages.ts';

/** A hand-over as the fan-out reads it. */
export interface Batch extends Omit<HandOver, 'type' | 'lateMs' | 'sentMs' | 'rows' | 'bytes'> {
  readonly frames: FramesTable;
}
