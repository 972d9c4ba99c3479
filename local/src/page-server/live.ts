// What is alive behind the page: it hears by `/events`, and asks by `/do`. The server of the page knows no more of it.

export type Tell = (event: string, data: unknown) => void;

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

export interface Live {
  /** Tells of everything from now on, until the answer is called; undefined where too many listen already. */
  watch(tell: Tell): (() => void) | undefined;
  /** The body as the page sent it. */
  act(body: string): Promise<Reply>;
}
