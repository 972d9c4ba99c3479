// Duplicates of a listening socket. Threads of one process share its descriptors: a thread that closed (or died with)
// the socket that the others listen on would close theirs too, so each gets a descriptor of its own. Node has no dup(2);
// a child process that inherits the descriptor and hands it back over its channel is one.
import { spawn } from 'node:child_process';

/** A socket handle of Node's own, which `listen` takes. Its holder closes it. */
export interface SocketHandle {
  readonly fd: number;
  close(): void;
}

/** Longest time for the child to start on a machine that is busy. */
const DEADLINE_MS = 20_000;
/** What the child does. It opens descriptor 4 without listening on it, so that it never accepts a client. */
const HAND_BACK = `
const { Socket } = require('node:net');
const socket = new Socket({ fd: 4, readable: false, writable: false });
process.send('socket', socket._handle, () => process.exit());
`;

/**
 * Another descriptor of the socket behind `fd`, in this thread. Takes the start of a Node process (some 50 ms), so it
 * is for starting and balancing, not for each client. Rejects if no process can be started.
 */
export async function duplicateSocket(fd: number): Promise<SocketHandle> {
  return await new Promise((resolve, reject) => {
    const failed = (why: string): void => reject(new Error(`cannot duplicate the listening socket: ${why}`));
    const child = spawn(process.execPath, ['--eval', HAND_BACK], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc', fd],
      env: {},
    });
    const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    child.once('message', (_message, handle) => {
      if (isSocketHandle(handle)) resolve(handle);
      else failed('the child process handed back something else');
    });
    child.once('error', (error) => {
      clearTimeout(deadline);
      failed(`no child process can be started (${error.message})`);
    });
    child.once('close', (code, signal) => {
      clearTimeout(deadline);
      failed(`the child process ended with ${signal ?? code} before it answered`);
    });
  });
}

function isSocketHandle(handle: unknown): handle is SocketHandle {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'fd' in handle &&
    'close' in handle &&
    !('listen' in handle && 'address' in handle)
  );
}
