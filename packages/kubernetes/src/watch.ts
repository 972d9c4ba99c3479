// A view of the objects behind one path that stays correct: list, watch, and list again after any irregularity.
// One loop, one request at a time and at most one per second. Must notice any silence of more than `roundMs`.
import type { KubeApi } from './api.ts';
import { isStatus, KubeApiError } from './errors.ts';
import { listAt, member, readMeta, textAt } from './object.ts';

/** The watched path, and the handling of its objects. */
export interface WatchOptions<T> {
  readonly api: KubeApi;
  readonly path: string;
  readonly labelSelector?: string;
  /** Returns the part of an object to keep, or undefined to skip it. Must not throw. */
  readonly read: (object: unknown) => T | undefined;
  /** Called when the view has changed or was confirmed. Must not throw. */
  readonly onView?: () => void;
  readonly onProblem?: (error: unknown) => void;
  readonly monotonicMs: () => number;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
  /** Resolves after `ms`, or at once when the signal is aborted. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** How long the server keeps one watch; a second watch follows at once. */
  readonly roundMs?: number;
}

/** The server ends a round itself. If it is overdue by this time, the connection is dead. */
const overdueMs = 10_000;
const defaultRoundMs = 30_000;
/** The view is listed again after this time even without a failure. */
const relistMs = 600_000;
const pageObjects = 250;
const maxObjects = 20_000;
const minSpacingMs = 1_000;
const firstPauseMs = 2_000;
const maxPauseMs = 10_000;

/** The view, by the names of the objects. */
export class ObjectWatch<T> {
  readonly #o: WatchOptions<T>;
  readonly #items = new Map<string, T>();
  readonly #stop = new AbortController();
  #loop: Promise<void> | undefined;
  #version: string | undefined;
  #listedMs = Number.NEGATIVE_INFINITY;
  #seenMs: number | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;
  #failures = 0;

  constructor(options: WatchOptions<T>) {
    this.#o = options;
  }

  get items(): ReadonlyMap<string, T> {
    return this.#items;
  }

  /** Milliseconds since the view was last proven correct; infinite before the first list. */
  get ageMs(): number {
    return this.#seenMs === undefined ? Number.POSITIVE_INFINITY : this.#o.monotonicMs() - this.#seenMs;
  }

  /** Starts; a second call does nothing. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Resolves when the last request has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (this.#version === undefined || this.#o.monotonicMs() - this.#listedMs >= relistMs)
          await this.#list();
        await this.#watch();
        this.#failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        // The next list contains every change that was missed.
        this.#version = undefined;
        if (!isStatus(error, 410)) {
          this.#o.onProblem?.(error);
          await this.#pause();
        }
      }
    }
  }

  async #list(): Promise<void> {
    const { api, path, labelSelector } = this.#o;
    const found = new Map<string, T>();
    let next = '';
    let version = '';
    do {
      await this.#space();
      const page = await api.request({
        method: 'GET',
        path,
        query: {
          limit: String(pageObjects),
          ...(labelSelector === undefined ? {} : { labelSelector }),
          ...(next === '' ? {} : { continue: next }),
        },
      });
      for (const object of listAt(page, 'items')) this.#put(found, object);
      next = textAt(page, 'metadata', 'continue');
      version = textAt(page, 'metadata', 'resourceVersion');
    } while (next !== '' && found.size < maxObjects && !this.#stop.signal.aborted);
    this.#items.clear();
    for (const [name, item] of found) this.#items.set(name, item);
    this.#version = version;
    this.#listedMs = this.#o.monotonicMs();
    this.#seen();
  }

  async #watch(): Promise<void> {
    const { api, path, labelSelector, roundMs = defaultRoundMs } = this.#o;
    await this.#space();
    if (this.#stop.signal.aborted) return;
    await api.stream({
      path,
      query: {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: this.#version ?? '',
        timeoutSeconds: String(Math.ceil(roundMs / 1000)),
        ...(labelSelector === undefined ? {} : { labelSelector }),
      },
      onEvent: (event) => this.#take(event),
      deadlineMs: roundMs + overdueMs,
      signal: this.#stop.signal,
    });
    this.#seen();
  }

  #take(event: unknown): void {
    const type = textAt(event, 'type');
    const object = member(event, 'object');
    if (type === 'ERROR') {
      const code = member(object, 'code');
      throw new KubeApiError(typeof code === 'number' ? code : 500, textAt(object, 'message'));
    }
    if (type === 'ADDED' || type === 'MODIFIED') this.#put(this.#items, object);
    else if (type === 'DELETED') this.#items.delete(textAt(object, 'metadata', 'name'));
    const version = textAt(object, 'metadata', 'resourceVersion');
    if (version !== '') this.#version = version;
    this.#seen();
  }

  #put(into: Map<string, T>, object: unknown): void {
    const name = readMeta(object)?.name;
    if (name === undefined) return;
    const item = this.#o.read(object);
    if (item === undefined) into.delete(name);
    else if (into.has(name) || into.size < maxObjects) into.set(name, item);
  }

  #seen(): void {
    this.#seenMs = this.#o.monotonicMs();
    this.#o.onView?.();
  }

  /** Keeps requests a second apart, in case a server ends every watch at once. */
  async #space(): Promise<void> {
    const waitMs = this.#askedMs + minSpacingMs - this.#o.monotonicMs();
    if (waitMs > 0) await this.#sleep(waitMs);
    this.#askedMs = this.#o.monotonicMs();
  }

  async #pause(): Promise<void> {
    const fullMs = Math.min(maxPauseMs, firstPauseMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 10);
    await this.#sleep(fullMs * (0.5 + this.#o.random() / 2));
  }

  #sleep(ms: number): Promise<void> {
    return (this.#o.sleep ?? sleepOrAbort)(ms, this.#stop.signal);
  }
}

function sleepOrAbort(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
