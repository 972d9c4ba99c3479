// The listening socket of the whole shard: the first thread opens it, all accept on duplicates, and the main thread keeps
// one more, so that it stays open when threads that listen on it come and go. It accepts no client.
import type { SocketHandle } from '../../port/duplicate.ts';
import { duplicateSocket } from '../../port/duplicate.ts';
import type { FromThread, ToThread } from '../../port/messages.ts';

/** A thread that may listen. */
export interface Listener {
  post(message: ToThread): void;
}

type Opened = Extract<FromThread, { readonly type: 'opened' | 'notOpened' }>;

export class FrontDoor {
  #reserve: SocketHandle | undefined;
  #opened: ((how: Opened) => void) | undefined;

  /** Opens the socket by the first thread; all accept from now on. Resolves with the port. */
  async open(
    threads: readonly Listener[],
    address: { readonly host: string; readonly port: number },
  ): Promise<number> {
    const how = await new Promise<Opened>((resolve) => {
      this.#opened = resolve;
      threads[0]?.post({ type: 'open', ...address });
    });
    if (how.type === 'notOpened') throw how.error;
    this.#reserve = await duplicateSocket(how.fd);
    for (const thread of threads) this.letAccept(thread);
    return how.port;
  }

  /** A thread has ended; the first one may not have answered yet. */
  died(): void {
    this.opened({ type: 'notOpened', error: new Error('the first thread ended before it listened') });
  }

  /** The first thread's answer. */
  opened(how: Opened): void {
    this.#opened?.(how);
  }

  letAccept(thread: Listener): void {
    if (this.#reserve !== undefined) thread.post({ type: 'join', fd: this.#reserve.fd });
  }

  close(): void {
    this.#reserve?.close();
  }
}
