// Numbers in Kubernetes' notation. Pure.

/** A quantity: whole numbers unchanged, others in thousandths (`600m`). Never negative, never with an exponent. */
export function quantity(value: number): string {
  const bounded = Math.min(Math.max(Number.isFinite(value) ? value : 0, 0), 9e15);
  const thousandths = Math.round(bounded * 1000);
  if (Number.isInteger(bounded) || thousandths > Number.MAX_SAFE_INTEGER) return String(Math.round(bounded));
  return thousandths % 1000 === 0 ? String(thousandths / 1000) : `${thousandths}m`;
}
