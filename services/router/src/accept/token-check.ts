// Which check of user tokens the settings ask for: none, by a secret, or by the keys of an identity provider.
import type { Clock } from '@weir/runtime';
import type { RouterConfig } from '../config.ts';
import type { RouterMetrics } from '../metrics.ts';
import { createKeySet } from './key-set.ts';
import type { CheckToken } from './user-token.ts';
import { createTokenCheck } from './user-token.ts';

export interface TokenCheckOptions {
  readonly config: RouterConfig;
  readonly clock: Clock;
  readonly metrics: Pick<RouterMetrics, 'tokenKeys' | 'keyFetches'>;
}

/** The check of user tokens; nothing where everybody may have everything. */
export function tokenCheck({ config, clock, metrics }: TokenCheckOptions): CheckToken | undefined {
  const { jwtSecret, jwtJwksUrl } = config;
  const common = {
    audience: config.jwtAudience,
    issuer: config.jwtIssuer,
    claim: config.jwtChannelsClaim,
    defaultChannels: config.jwtDefaultChannels,
    clock,
  };
  if (config.auth === 'none') return undefined;
  if (jwtSecret !== undefined)
    return createTokenCheck({ ...common, source: { kind: 'secret', secret: jwtSecret } });
  if (jwtJwksUrl === undefined) throw new Error('user tokens need a secret or a key set');
  const key = createKeySet({
    url: jwtJwksUrl,
    clock,
    onOutcome: (outcome) => metrics.tokenKeys.inc({ outcome }),
    onFetch: (outcome) => metrics.keyFetches.inc({ outcome }),
  });
  return createTokenCheck({ ...common, source: { kind: 'jwks', key } });
}
