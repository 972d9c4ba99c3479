// Whether a Centrifugo server is here: WEIR_CENTRIFUGO names it, or it is on the PATH. `npm run test:packages` builds one.
import { execFileSync } from 'node:child_process';

export const centrifugo = process.env['WEIR_CENTRIFUGO'] ?? 'centrifugo';

export const whyNoCentrifugo = ((): string | undefined => {
  try {
    execFileSync(centrifugo, ['version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no centrifugo; WEIR_CENTRIFUGO names one';
  }
})();
