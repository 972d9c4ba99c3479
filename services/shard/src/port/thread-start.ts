import type { ShardConfig } from '../config.ts';
import type { Heads } from './messages.ts';

/** What a thread is started with; everything in it can be cloned or is shared memory. */
export interface ThreadStart {
  readonly index: number;
  readonly config: ShardConfig;
  /** Of this start of the shard. */
  readonly incarnation: string;
  readonly roomForClients: number;
  readonly heads: Heads;
  readonly flags: SharedArrayBuffer;
  readonly counts: SharedArrayBuffer;
  /** Of the doorways: open sockets and open doorways by thread. */
  readonly sockets: Int32Array;
  readonly doorways: Int32Array;
}
