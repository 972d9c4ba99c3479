// Control's request to one shard to drain and end: `weir.ctl.drain.<shard>`. What supervises the shard starts it again.

/** The shard's immediate answer. */
export interface DrainAnswer {
  readonly v: 1;
  /** False if it drains already. */
  readonly accepted: boolean;
}

const maxBytes = 256;

export function encodeDrainAnswer(accepted: boolean): Uint8Array {
  const answer: DrainAnswer = { v: 1, accepted };
  return new TextEncoder().encode(JSON.stringify(answer));
}

/** The answer in these bytes, or undefined if they are not valid. Never throws. */
export function decodeDrainAnswer(bytes: Uint8Array): DrainAnswer | undefined {
  if (bytes.byteLength > maxBytes) return undefined;
  try {
    const { v, accepted }: Partial<Record<string, unknown>> = Object(
      JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)),
    );
    return v === 1 && typeof accepted === 'boolean' ? { v, accepted } : undefined;
  } catch {
    return undefined;
  }
}
