// Keeps the answers of a socket in the order of its requests where a later request is broken: Node reports a broken one as
// soon as it reads it, and a refusal at that moment would be taken for the answer to an earlier request that is still
// under way.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

export class InTurn {
  /** The requests of each socket that are not answered yet. */
  readonly #unanswered = new WeakMap<Duplex, Set<IncomingMessage>>();
  readonly #waiting = new WeakMap<Duplex, () => void>();

  begun(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const requests = this.#unanswered.get(socket) ?? new Set();
    this.#unanswered.set(socket, requests.add(request));
    response.once('close', () => {
      requests.delete(request);
      this.#look(socket);
    });
  }

  /** Something on the socket is broken: calls `refuse` once all requests before it are answered. */
  broken(socket: Duplex, refuse: () => void): void {
    if (this.#waiting.has(socket)) return;
    this.#waiting.set(socket, refuse);
    this.#look(socket);
    // Nothing that follows can be read.
    if (this.#waiting.has(socket)) socket.pause();
  }

  #look(socket: Duplex): void {
    const refuse = this.#waiting.get(socket);
    // A request that is not complete is the broken one.
    const isBefore = [...(this.#unanswered.get(socket) ?? [])].some(({ complete }) => complete);
    if (refuse === undefined || isBefore) return;
    this.#waiting.delete(socket);
    socket.resume();
    refuse();
  }
}
