// Errors of requests to the API server, as conditions that a caller acts on.

/** The API server answered with a refusal. */
export class KubeApiError extends Error {
  readonly code = 'KUBE_API';
  /** HTTP status: 404 not found, 409 another client was faster, 410 too old, 429 too fast. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'KubeApiError';
    this.status = status;
  }
}

/** No answer, none in time, or an unreadable one. */
export class KubeUnreachableError extends Error {
  readonly code = 'KUBE_UNREACHABLE';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KubeUnreachableError';
  }
}

/** Whether the API server answered with this status. */
export function isStatus(error: unknown, status: number): boolean {
  return error instanceof KubeApiError && error.status === status;
}
