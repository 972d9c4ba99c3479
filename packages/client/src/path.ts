// One try, from the router to a stream's welcome: redirect followed, position appended, each step with its time.
// Ends exactly once: welcomed, ended or cancelled. Never retries.
import type { RedirectMessage, WelcomeMessage } from '@weir/protocol';
import type { Target } from './address.ts';
import { streamTarget } from './address.ts';
import { WeirError } from './errors.ts';
import type { Platform, SocketClass } from './platform.ts';
import type { Stage } from './retry.ts';
import { Wire } from './wire.ts';

/** The router answers within 1.5 s of probing; the rest is for networks and for fetching a token. */
const STEP_MS = 10_000;

export interface Welcomed {
  readonly wire: Wire;
  readonly welcome: WelcomeMessage;
  readonly redirect: RedirectMessage;
  /** The position that was asked for, if one was. */
  readonly resume: string | undefined;
}

export interface PathEnd {
  readonly stage: Stage;
  readonly code: number;
  readonly reason: string;
  readonly error?: WeirError;
}

interface PathOptions {
  readonly platform: Platform;
  readonly webSocket: () => SocketClass | Promise<SocketClass>;
  /** Where to begin; may fetch a token first. */
  readonly target: () => Target | Promise<Target>;
  /** The position, asked for at the moment when the stream is opened. */
  readonly position: () => string | undefined;
  /** Parameters of the stream's URL beside it. */
  readonly more: (resume: string | undefined) => readonly string[];
  readonly onWelcome: (welcomed: Welcomed) => void;
  readonly onEnd: (end: PathEnd) => void;
}

export class Path {
  /** The position that the shard was shown. */
  shown: string | undefined;
  readonly #options: PathOptions;
  #WebSocket: SocketClass | undefined;
  #stage: Stage = 'token';
  #wire: Wire | undefined;
  #timer: unknown;
  #over = false;

  constructor(options: PathOptions) {
    this.#options = options;
    this.#step('token');
    void this.#begin();
  }

  cancel(): void {
    if (this.#over) return;
    this.#finish();
    this.#wire?.close();
  }

  async #begin(): Promise<void> {
    let target: Target;
    try {
      // Whoever starts a path knows it before it can end.
      await undefined;
      this.#WebSocket = await this.#options.webSocket();
      target = await this.#options.target();
    } catch (cause) {
      const error =
        cause instanceof WeirError
          ? cause
          : new WeirError('INTERNAL', `a fault of the SDK: ${String(cause)}`, { cause });
      this.#fail(1006, error.message, error);
      return;
    }
    if (this.#over) return;
    this.#stage = 'router';
    this.#dial(target, (wire) => {
      wire.onMessage = (message) => {
        if (message.type === 'redirect') this.#follow(wire, message);
      };
    });
  }

  #follow(router: Wire, redirect: RedirectMessage): void {
    router.close();
    this.#step('stream');
    const { position, more } = this.#options;
    const resume = position();
    this.shown = resume;
    this.#dial(streamTarget(redirect.url, resume, more(resume)), (wire) => {
      wire.onMessage = (message) => {
        if (message.type !== 'welcome') return;
        this.#finish();
        this.#options.onWelcome({ wire, welcome: message, redirect, resume });
      };
    });
  }

  #dial(target: Target, wired: (wire: Wire) => void): void {
    const WebSocketClass = this.#WebSocket;
    if (WebSocketClass === undefined) return;
    try {
      const wire = new Wire(this.#options.platform, WebSocketClass, target);
      this.#wire = wire;
      wire.onClose = (code, reason) => this.#fail(code, reason);
      wired(wire);
    } catch (error) {
      this.#wire = undefined;
      this.#fail(1006, String(error));
    }
  }

  #step(stage: Stage): void {
    this.#stage = stage;
    this.#options.platform.clearTimeout(this.#timer);
    this.#timer = this.#options.platform.setTimeout(() => {
      this.#wire?.close();
      this.#fail(1006, 'no answer within 10 s');
    }, STEP_MS);
  }

  #fail(code: number, reason: string, error?: WeirError): void {
    if (this.#over) return;
    const end = { stage: this.#stage, code, reason };
    this.#finish();
    this.#options.onEnd(error === undefined ? end : { ...end, error });
  }

  #finish(): void {
    this.#over = true;
    this.#options.platform.clearTimeout(this.#timer);
  }
}
