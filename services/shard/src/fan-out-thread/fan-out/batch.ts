import type { FramesTable } from '../../port/frames-table.ts';
import type { HandOver } from '../../port/messages.ts';

/** A hand-over in the hands of the fan-out. */
export interface Batch extends Omit<HandOver, 'type' | 'lateMs' | 'sentMs' | 'rows' | 'bytes'> {
  readonly frames: FramesTable;
}
