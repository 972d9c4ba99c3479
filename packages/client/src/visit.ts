// One visit to the router: what it is asked for, by whom, and with which class of sockets.
import type { Target } from './address.ts';
import { routerTarget } from './address.ts';
import { WeirError } from './errors.ts';
import type { Platform, SocketClass } from './platform.ts';
import type { ConnectOptions } from './public.ts';

/** Asks for the token anew, where it is a function, and says where to go. */
export async function visitTarget(
  { url, token, class: pool }: ConnectOptions,
  more: {
    readonly base: string | undefined;
    readonly channels: readonly string[];
    readonly hint: string | undefined;
  },
): Promise<Target> {
  return routerTarget({
    url,
    class: pool,
    token: typeof token === 'function' ? await askFor(token) : token,
    ...more,
  });
}

/**
 * What the URL of the stream says beside the position. `isNew`: channels that the position does not speak for are new
 * here; a client that comes back without a position has had some of their messages.
 */
export function streamParameters(
  { critical }: ConnectOptions,
  { isNew, stateIsGone }: { readonly isNew: boolean; readonly stateIsGone: boolean },
): readonly string[] {
  const parameters = stateIsGone ? ['snapshot=1'] : [];
  if (critical?.last && isNew) parameters.push(`last=${critical.last}`);
  return parameters;
}

/** The class that the application gave, or the platform's. */
export function socketClass(
  { WebSocket }: ConnectOptions,
  platform: Platform,
): SocketClass | Promise<SocketClass> {
  // The application's class is taken at its word; its type is left open so that any library's fits.
  return (WebSocket as SocketClass | undefined) ?? platform.webSocket();
}

/** Only the application's own function can fail with TOKEN_FAILED; everything else has another name. */
async function askFor(token: () => string | Promise<string>): Promise<string> {
  try {
    return await token();
  } catch (cause) {
    throw new WeirError('TOKEN_FAILED', 'the token function failed; the client asks it again later', {
      cause,
    });
  }
}
