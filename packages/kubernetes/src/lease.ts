// Leader election by a Lease that its holder renews. Only the process's own monotonic clock counts, so clocks may
// differ. Leadership expires, so a process that hangs has stopped leading before another one begins.
import type { KubeApi } from './api.ts';
import { isStatus } from './errors.ts';
import { member, textAt } from './object.ts';

/** One candidate for one lease. */
export interface LeaseOptions {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly name: string;
  /** Unique among the candidates. */
  readonly identity: string;
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
  readonly onProblem?: (error: unknown) => void;
}

/** After this time without a renewal another candidate may take the lease. */
const leaseSeconds = 15;
/** After this time without a renewal the holder has stopped leading. That leaves 5 s for actions under way. */
const leadMs = 10_000;
const tryEveryMs = 4_000;
const retryMs = 1_500;
/** One lost answer does not end the leadership: 4 s + 3 s + 1.5 s are less than `leadMs`. */
const deadlineMs = 3_000;
/** Maximum duration that another candidate's lease may claim. */
const maxLeaseSeconds = 120;

interface Seen {
  readonly object: unknown;
  readonly version: string;
  readonly holder: string;
  readonly atMs: number;
}

/** Acquires the lease, renews it, and releases it. */
export class LeaseElection {
  readonly #o: LeaseOptions;
  readonly #path: string;
  #seen: Seen | undefined;
  #renewedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #attempt: Promise<void> | undefined;
  #stopped = false;
  #failed = false;

  constructor(options: LeaseOptions) {
    this.#o = options;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(options.namespace)}/leases`;
  }

  /** Whether this process leads now. Ask it before each action that only the leader takes. */
  get leading(): boolean {
    return !this.#stopped && this.#o.monotonicMs() - this.#renewedMs < leadMs;
  }

  start(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const round = (): void => {
      this.#attempt = this.attempt().finally(() => {
        if (this.#stopped) return;
        const pauseMs = this.#failed ? retryMs : tryEveryMs;
        this.#timer = setTimeout(round, pauseMs * (0.8 + this.#o.random() * 0.2));
        this.#timer.unref();
      });
    };
    this.#timer = setTimeout(round, 0);
  }

  /** One try. Never throws, and ends within two deadlines. */
  async attempt(): Promise<void> {
    try {
      // A holder knows the object that it wrote last and needs no read before it writes again.
      if (!this.leading || this.#seen === undefined) await this.#look();
      if (this.#mayTake()) await this.#take();
      this.#failed = false;
    } catch (error) {
      this.#failed = true;
      // Another candidate was faster, or the lease is gone: the next try reads it again.
      this.#forgetVersion();
      if (isStatus(error, 409)) this.#renewedMs = Number.NEGATIVE_INFINITY;
      else this.#o.onProblem?.(error);
    }
  }

  /** Stops leading at once, and lets another candidate lead without a wait. */
  async stop(): Promise<void> {
    const wasLeading = this.leading;
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#attempt;
    if (!wasLeading || this.#seen === undefined) return;
    try {
      await this.#write(this.#seen, '');
    } catch (error) {
      this.#o.onProblem?.(error);
    }
  }

  async #look(): Promise<void> {
    let object: unknown;
    try {
      object = await this.#o.api.request({
        method: 'GET',
        path: `${this.#path}/${encodeURIComponent(this.#o.name)}`,
        deadlineMs,
      });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      this.#seen = undefined;
      return;
    }
    const version = textAt(object, 'metadata', 'resourceVersion');
    const known = this.#seen?.version === version ? this.#seen : undefined;
    const atMs = this.#o.monotonicMs();
    this.#seen = known ?? { object, version, holder: textAt(object, 'spec', 'holderIdentity'), atMs };
    if (this.#seen.holder !== this.#o.identity) this.#renewedMs = Number.NEGATIVE_INFINITY;
  }

  #mayTake(): boolean {
    if (this.#stopped) return false;
    const seen = this.#seen;
    if (seen === undefined || seen.holder === '' || seen.holder === this.#o.identity) return true;
    const claimed = Number(member(seen.object, 'spec', 'leaseDurationSeconds'));
    const seconds = Math.min(maxLeaseSeconds, Math.max(leaseSeconds, Number.isFinite(claimed) ? claimed : 0));
    return this.#o.monotonicMs() - seen.atMs > seconds * 1000;
  }

  async #take(): Promise<void> {
    const beforeMs = this.#o.monotonicMs();
    await this.#write(this.#seen, this.#o.identity);
    // The time before the request: other candidates count from the moment they see the renewal, which is later.
    this.#renewedMs = beforeMs;
  }

  async #write(seen: Seen | undefined, holder: string): Promise<void> {
    const { api, namespace, name, wallMs } = this.#o;
    const nowText = new Date(wallMs()).toISOString().replace('Z', '000Z');
    const changed = seen?.holder !== holder;
    const transitions = Number(member(seen?.object, 'spec', 'leaseTransitions') ?? 0);
    const acquired = textAt(seen?.object, 'spec', 'acquireTime');
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        ...metadataOf(seen?.object),
        name,
        namespace,
        ...(seen === undefined ? {} : { resourceVersion: seen.version }),
      },
      spec: {
        holderIdentity: holder,
        leaseDurationSeconds: holder === '' ? 1 : leaseSeconds,
        acquireTime: changed || acquired === '' ? nowText : acquired,
        renewTime: nowText,
        leaseTransitions: transitions + (seen !== undefined && changed && holder !== '' ? 1 : 0),
      },
    };
    const atMs = this.#o.monotonicMs();
    const object = await api.request(
      seen === undefined
        ? { method: 'POST', path: this.#path, body, deadlineMs }
        : { method: 'PUT', path: `${this.#path}/${encodeURIComponent(name)}`, body, deadlineMs },
    );
    this.#seen = { object, version: textAt(object, 'metadata', 'resourceVersion'), holder, atMs };
  }

  /** Keeps the holder and the time of its last change: a failed read must not delay a waiting candidate. */
  #forgetVersion(): void {
    if (this.#seen?.holder === this.#o.identity) this.#seen = undefined;
  }
}

function metadataOf(object: unknown): object {
  const metadata = member(object, 'metadata');
  return typeof metadata === 'object' && metadata !== null ? metadata : {};
}
