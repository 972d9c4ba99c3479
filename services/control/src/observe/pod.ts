// Control's record of a shard's pod. Reads the API server's object, and assumes nothing about missing fields.
import { readMeta, textAt } from '@weir/kubernetes';

/** Kubernetes deletes the pods with the lowest value first. */
export const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
const poolLabel = 'weir.dev/pool';

/** A pod that runs a shard. */
export interface ShardPod {
  /** Also the id of the shard. */
  readonly name: string;
  readonly uid: string;
  readonly pool: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Runs, and is not being deleted. Readiness does not matter, because an unready pod has clients too. */
  readonly live: boolean;
  /** The annotation's text. */
  readonly deletionCost: string | undefined;
}

/** Parses a pod; undefined if it has no name. */
export function readPod(object: unknown): ShardPod | undefined {
  const meta = readMeta(object);
  if (meta === undefined) return undefined;
  const { name, uid, labels, annotations, deleted } = meta;
  return {
    name,
    uid,
    pool: labels[poolLabel] ?? '',
    labels,
    live: textAt(object, 'status', 'phase') === 'Running' && !deleted,
    deletionCost: annotations[deletionCostAnnotation],
  };
}
