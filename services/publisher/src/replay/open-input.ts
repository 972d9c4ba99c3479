// Opens a command's input: a file, a pipe, a FIFO, a terminal or standard input. Opens it once and never reads by
// position, because pipes cannot. Knows nothing of the contents.
import { closeSync, constants, fstatSync, openSync, read } from 'node:fs';
import { Socket } from 'node:net';
import { isatty, ReadStream } from 'node:tty';
import { promisify } from 'node:util';
import { InputError } from './input-error.ts';
import { readAll } from './read-all.ts';

const readInto = promisify(read);
const chunkBytes = 65_536;

/** An open input. */
export interface Input {
  /** Name for messages: the path, or `standard input`. */
  readonly name: string;
  /** Missing for standard input. */
  readonly path: string | undefined;
  /** In bytes; missing if the size is unknown. */
  readonly size: number | undefined;
  /** Whether `chunks` can be called again: only a file can be read from its start again. */
  readonly repeatable: boolean;
  /** The bytes, from the start. */
  chunks(): AsyncIterable<Buffer>;
  /** Ends a running read, even of a silent input, and closes. */
  close(): void;
}

/** These paths mean the descriptor itself: to open them again fails if standard input is a socket. */
const standardInput: readonly string[] = ['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'];

/** Opens a path; `-` is standard input. Throws an `InputError`. */
export function openInput(path: string): Input {
  if (standardInput.includes(path)) return new OpenInput(0, undefined);
  try {
    // Without O_NONBLOCK a FIFO without a writer would block until there is one, and Ctrl-C would not end it.
    return new OpenInput(openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)), path);
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(whyNotOpen(path, error), { cause: error });
  }
}

class OpenInput implements Input {
  readonly name: string;
  readonly path: string | undefined;
  readonly size: number | undefined;
  readonly repeatable: boolean;
  readonly #fd: number;
  /** A pipe, socket or terminal: it may stay silent for any time, but its read must end with the command. */
  readonly #stream: Socket | undefined;
  #reading = false;
  #closed = false;

  constructor(fd: number, path: string | undefined) {
    this.#fd = fd;
    this.path = path;
    this.name = path ?? 'standard input';
    const stats = fstatSync(fd);
    if (stats.isDirectory()) {
      if (path !== undefined) closeSync(fd);
      throw new InputError(`${this.name} is a folder, not a file`);
    }
    if (stats.isFIFO() || stats.isSocket())
      this.#stream = new Socket({ fd, readable: true, writable: false });
    else if (isatty(fd)) this.#stream = new ReadStream(fd);
    // Standard input may be at any offset of its file.
    this.repeatable = stats.isFile() && path !== undefined;
    this.size = this.repeatable && stats.size > 0 ? stats.size : undefined;
  }

  chunks(): AsyncIterable<Buffer> {
    return this.#stream === undefined ? this.#fileChunks() : readAll(this.#stream);
  }

  async *#fileChunks(): AsyncGenerator<Buffer> {
    let position = this.repeatable ? 0 : null;
    while (!this.#closed) {
      const chunk = await this.#read(position);
      if (chunk.length === 0) return;
      if (position !== null) position += chunk.length;
      yield chunk;
    }
  }

  async #read(position: number | null): Promise<Buffer> {
    this.#reading = true;
    try {
      const { bytesRead, buffer } = await readInto(
        this.#fd,
        Buffer.allocUnsafe(chunkBytes),
        0,
        chunkBytes,
        position,
      );
      return buffer.subarray(0, bytesRead);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new InputError(`${this.name} cannot be read: ${why}`, { cause: error });
    } finally {
      this.#reading = false;
      if (this.#closed) this.#closeFile();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#stream !== undefined) this.#stream.destroy();
    else if (!this.#reading) this.#closeFile();
  }

  /** The command must not close standard input. */
  #closeFile(): void {
    if (this.path !== undefined) closeSync(this.#fd);
  }
}

function whyNotOpen(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return `there is no file ${path}`;
    case 'ENOTDIR':
      return `there is no file ${path}: a part of the path is no folder`;
    case 'EACCES':
    case 'EPERM':
      return `${path} may not be read: permission denied`;
    case 'ENXIO':
      return `${path} is a socket, which cannot be opened as a file`;
    default:
      return `${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}`;
  }
}
