// The page's way to the run that served it: what it tells, and what it can be asked for.

const AGAIN_MS = 3_000;

export class Live {
  view;
  #token;
  #listeners = new Map();
  #skewMs = Number.POSITIVE_INFINITY;

  constructor(token) {
    this.#token = token;
    this.#listen();
  }

  #listen() {
    const events = new EventSource(`/events?token=${encodeURIComponent(this.#token)}`);
    for (const name of ['view', 'began', 'ended']) {
      events.addEventListener(name, ({ data }) => {
        const what = JSON.parse(data);
        if (name === 'view') {
          this.view = what;
          this.#skewMs = Math.min(this.#skewMs, Date.now() - what.now);
        }
        this.#tell(name, what);
      });
    }
    events.addEventListener('error', () => {
      this.#tell('away');
      if (events.readyState === EventSource.CLOSED) void this.#again();
    });
  }

  /** The browser has given up: another run is here, or too many pages listen. */
  async #again() {
    await reloadIfAnotherRun(this.#token).catch(() => undefined); // it is away again
    setTimeout(() => this.#listen(), AGAIN_MS);
  }

  /** The clock of the publisher, also where the browser is on another machine. */
  now = () => Date.now() - (Number.isFinite(this.#skewMs) ? this.#skewMs : 0);

  on(name, listener) {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }

  /** Rejects, in words, where it was refused. */
  async ask(order) {
    const answer = await fetch('/do', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-weir-token': this.#token },
      body: JSON.stringify(order),
    });
    const body = await answer.json();
    if (answer.ok) return body;
    throw new Error(body.error?.message ?? body.error ?? `refused with ${answer.status}`);
  }

  #tell(name, what) {
    for (const listener of this.#listeners.get(name) ?? []) listener(what);
  }
}

/** Another run has another token, and its lines are elsewhere. The answer comes when that run is ready. */
async function reloadIfAnotherRun(token) {
  const answer = await fetch('/config.json', { cache: 'no-store' });
  if ((await answer.json()).token !== token) location.reload();
}
