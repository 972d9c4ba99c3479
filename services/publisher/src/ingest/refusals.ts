// The refusals of whole requests, one table: code, HTTP status, sentence. docs/publishing.md repeats it;
// a test keeps the two equal.

/** One row. `retry` refusals carry a `Retry-After`. */
export interface RefusalRow {
  readonly status: number;
  readonly message: string;
  readonly retry?: true;
}

/** Code of a refusal of a whole request. */
export type RefusalCode =
  | 'NOT_FOUND'
  | 'METHOD'
  | 'UNAUTHORISED'
  | 'FOREIGN_PAGE'
  | 'CONTENT_TYPE'
  | 'RATE_LIMITED'
  | 'BUSY'
  | 'SHARE_USED'
  | 'STOPPING'
  | 'BODY_TOO_LARGE'
  | 'BODY_CUT_OFF'
  | 'BODY_TOO_SLOW'
  | 'HEADERS_TOO_LARGE'
  | 'BAD_REQUEST'
  | 'INTERNAL';

/** Reasons to refuse a request before any of its messages is read. */
export const refusals: Readonly<Record<RefusalCode, RefusalRow>> = {
  NOT_FOUND: { status: 404, message: 'publish by POST /v1/publish; there is nothing else here' },
  METHOD: { status: 405, message: 'publish by POST' },
  UNAUTHORISED: {
    status: 401,
    message: 'an API key is needed: Authorization: Bearer <key>, or X-Api-Key: <key>',
  },
  FOREIGN_PAGE: {
    status: 403,
    message:
      'without an API key a page in a browser may publish only by an IP address or localhost: set WEIR_API_KEYS',
  },
  CONTENT_TYPE: {
    status: 415,
    message:
      'the content type must be application/json or application/x-ndjson, in UTF-8, without an encoding',
  },
  RATE_LIMITED: { status: 429, message: 'too many messages or bytes a second', retry: true },
  BUSY: { status: 503, message: 'too many requests at this moment', retry: true },
  SHARE_USED: {
    status: 429,
    message: 'too many requests of this key or network at this moment',
    retry: true,
  },
  STOPPING: { status: 503, message: 'this publisher is stopping; ask again', retry: true },
  BODY_TOO_LARGE: { status: 413, message: 'the body is too large' },
  BODY_CUT_OFF: { status: 400, message: 'the body ended before it was complete' },
  BODY_TOO_SLOW: { status: 408, message: 'the request took too long to arrive' },
  HEADERS_TOO_LARGE: { status: 431, message: 'the headers are too large' },
  BAD_REQUEST: { status: 400, message: 'this is not HTTP that can be understood' },
  INTERNAL: { status: 500, message: 'internal error' },
};

/** A refusal with its details. */
export interface Refusal {
  readonly code: RefusalCode;
  /** Replaces the table's sentence. */
  readonly message?: string;
  readonly retryAfterS?: number;
}
