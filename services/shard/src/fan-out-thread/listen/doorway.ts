// Accepts clients for one thread, on a duplicate of the listening socket that all threads share. It pauses while the
// thread has more clients than its share, accepts no more sockets than the shard may have, and counts them. No HTTP.
import type { Socket } from 'node:net';
import { createServer, type Server } from 'node:net';
import { CLIENT_SETTINGS, listenOn } from '@weir/runtime';
import { sumOf } from '../../port/counts.ts';
import type { SocketHandle } from '../../port/duplicate.ts';
import { acceptsMore, leastOf } from './balance.ts';

/** Connections that wait to be accepted, at most; the kernel may bound it lower. */
const BACKLOG = 4_096;
/** How often a paused thread looks whether it should accept again. */
const LOOK_MS = 50;

export interface DoorwayOptions {
  /** This thread's place in `sockets`. */
  readonly index: number;
  /** Open sockets of every thread, in shared memory. The main thread sets the place of a dead thread to 0. */
  readonly sockets: Int32Array;
  /** 1 for every thread whose doorway is open, also while it pauses; else 0, also of a dead thread. */
  readonly open: Int32Array;
  /** Most open sockets of the whole shard. Beyond that the newest is cut, unless `makeRoom` cuts another. */
  readonly maxSockets: number;
  readonly makeRoom: () => boolean;
  readonly onTooMany: () => void;
  /** A connection could not be accepted. */
  readonly onAcceptFailed: () => void;
  /** A client has connected. */
  readonly onSocket: (socket: Socket) => void;
  readonly duplicate: (fd: number) => Promise<SocketHandle>;
  /** The thread could not accept again after a pause. */
  readonly onFailed: (error: unknown) => void;
}

export class Doorway {
  readonly #options: DoorwayOptions;
  #server: Server | undefined;
  /** The duplicate on which the thread accepts after its next pause. */
  #spare: SocketHandle | undefined;
  /** Whether this machine can make duplicates. Without them a pause would have no end. */
  #canPause = false;
  #fd = -1;
  #look: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DoorwayOptions) {
    this.#options = options;
  }

  get accepting(): boolean {
    return this.#server !== undefined;
  }

  /** Opens the listening socket for all threads. Returns its port and its descriptor, which the other threads duplicate. */
  async open(address: {
    readonly host: string;
    readonly port: number;
  }): Promise<{ readonly port: number; readonly fd: number }> {
    const server = this.#createServer();
    const { port } = await listenOn(server, {
      ...address,
      what: 'the shard',
      settings: CLIENT_SETTINGS,
      backlog: BACKLOG,
      onFault: this.#options.onAcceptFailed,
    });
    this.#server = server;
    return { port, fd: descriptorOf(server) };
  }

  /** Accepts on a duplicate of `fd`, which stays open as long as this doorway is in use, and prepares for pauses. */
  async join(fd: number): Promise<void> {
    this.#fd = fd;
    if (this.#server === undefined) await this.#accept(await this.#options.duplicate(fd));
    const { index, sockets, open } = this.#options;
    if (this.#closed) return;
    Atomics.store(open, index, 1);
    if (sockets.length === 1) return;
    await this.#prepare();
    this.#canPause = this.#spare !== undefined;
  }

  /** Stops accepting. Open sockets stay open. */
  close(): void {
    this.#closed = true;
    Atomics.store(this.#options.open, this.#options.index, 0);
    clearTimeout(this.#look);
    this.#server?.close();
    this.#server = undefined;
    this.#spare?.close();
    this.#spare = undefined;
  }

  #createServer(): Server {
    return createServer((socket) => this.#let(socket));
  }

  #let(socket: Socket): void {
    const { index, sockets, maxSockets, makeRoom, onSocket, onTooMany } = this.#options;
    // Counted first, so that of two threads with one place left at most one accepts.
    Atomics.add(sockets, index, 1);
    if (sumOf(sockets) > maxSockets && !makeRoom()) {
      Atomics.sub(sockets, index, 1);
      onTooMany();
      socket.destroy();
      return;
    }
    socket.once('close', () => Atomics.sub(sockets, index, 1));
    onSocket(socket);
    if (this.#canPause && !this.#wanted(true)) this.#pause();
  }

  #wanted(accepting: boolean): boolean {
    const { index, sockets, open } = this.#options;
    return acceptsMore(sockets[index] ?? 0, leastOf(sockets, open), accepting);
  }

  #pause(): void {
    this.#server?.close();
    this.#server = undefined;
    this.#lookLater();
  }

  #lookLater(): void {
    this.#look = setTimeout(() => {
      if (this.#wanted(false)) this.#resume().catch(this.#options.onFailed);
      else this.#lookLater();
    }, LOOK_MS);
  }

  async #resume(): Promise<void> {
    if (this.#spare === undefined) await this.#prepare();
    const spare = this.#spare;
    if (spare === undefined) return this.#lookLater();
    this.#spare = undefined;
    await this.#accept(spare);
    await this.#prepare();
  }

  async #accept(handle: SocketHandle): Promise<void> {
    const server = this.#createServer();
    await listening(server, () => server.listen(handle, BACKLOG));
    server.on('error', this.#options.onAcceptFailed);
    if (this.#closed) server.close();
    else this.#server = server;
  }

  async #prepare(): Promise<void> {
    // If no process can be started now, resuming tries again.
    const spare = await this.#options.duplicate(this.#fd).catch(() => undefined);
    if (this.#closed || this.#spare !== undefined) spare?.close();
    else this.#spare = spare;
  }
}

/** Resolves when a server listens, rejects if it cannot. */
async function listening(server: Server, listen: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    listen();
  });
}

/** The descriptor of a server's socket, which Node shows only inside. */
function descriptorOf(server: Server): number {
  const handle: unknown = Reflect.get(server, '_handle');
  if (typeof handle === 'object' && handle !== null && 'fd' in handle && typeof handle.fd === 'number')
    return handle.fd;
  throw new Error('this version of Node does not show the descriptor of a listening socket');
}
