// Asks a service's admin port whether the service is ready. Never throws: a service that does not answer is not ready.

export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

const TIMEOUT_MS = 2000;

/** Asks `/readyz`. */
export async function readReadiness(adminUrl: string): Promise<Readiness> {
  try {
    const response = await fetch(new URL('/readyz', adminUrl), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body: unknown = await response.json().catch(() => undefined);
    return { ready: response.status === 200, reasons: reasonsOf(body) };
  } catch {
    return { ready: false, reasons: ['no answer'] };
  }
}

function reasonsOf(body: unknown): readonly string[] {
  if (typeof body !== 'object' || body === null || !('reasons' in body)) return [];
  return Array.isArray(body.reasons) ? body.reasons.map(String) : [];
}
