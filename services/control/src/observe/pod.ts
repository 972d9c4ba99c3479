// What control keeps of a shard's pod. Reads what the API server says, and believes nothing that is not there.
import { readMeta, textAt } from '@weir/kubernetes';

/** Kubernetes deletes the pods with the lowest first. */
export const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
const poolLabel = 'weir.dev/pool';

/** A pod that runs a shard. */
export interface ShardPod {
  /** Also the id of the shard. */
  readonly name: string;
  readonly uid: string;
  readonly pool: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Runs, and nobody has deleted it. Whether it is ready does not matter: its clients are there all the same. */
  readonly live: boolean;
  /** As it was written. */
  readonly deletionCost: string | undefined;
}

/** The pod; nothing where it has no name. */
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
