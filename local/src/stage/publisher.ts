// The way to the publisher service of this run, over HTTP as any other program publishes.

/** As `POST /v1/publish` takes it. */
export interface Publication {
  readonly lane: 'state' | 'critical' | 'cosmetic';
  readonly channel: string;
  readonly key?: string;
  readonly data?: unknown;
  readonly id?: string;
}

export interface Published {
  readonly status: number;
  /** The publisher's answer; undefined where there was none. */
  readonly body: unknown;
}

const DEADLINE_MS = 10_000;

export class Publisher {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, apiKey: string | undefined) {
    this.#url = `${url}/v1/publish`;
    const type = { 'content-type': 'application/json' };
    this.#headers = apiKey === undefined ? type : { ...type, 'x-api-key': apiKey };
  }

  /** Never rejects: a publisher that does not answer has status 0. */
  async send(message: Publication | readonly Publication[]): Promise<Published> {
    return this.forward(JSON.stringify(message));
  }

  /** The same with a body that is written already. */
  async forward(body: string): Promise<Published> {
    try {
      const signal = AbortSignal.timeout(DEADLINE_MS);
      const answer = await fetch(this.#url, { method: 'POST', headers: this.#headers, body, signal });
      return { status: answer.status, body: await answer.json() };
    } catch {
      return { status: 0, body: undefined };
    }
  }
}
