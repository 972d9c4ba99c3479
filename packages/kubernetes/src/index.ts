// @weir/kubernetes: access to the API server for services in the cluster. Knows nothing of Weir's domain.
export type { Access, ServerAccess } from './access.ts';
export type { KubeApi, KubeRequest, KubeStream } from './api.ts';
export { createKubeApi } from './api.ts';
export { isStatus, KubeApiError, KubeUnreachableError } from './errors.ts';
export type { LeaseOptions } from './lease.ts';
export { LeaseElection } from './lease.ts';
export type { JsonObject, ObjectMeta } from './object.ts';
export { isObject, listAt, member, readMeta, textAt, textMapAt } from './object.ts';
export type { PollOptions } from './poll.ts';
export { startPoll } from './poll.ts';
export type { Requirement, Selector } from './selector.ts';
export { labelSelectorObject, matchesSelector, parseSelector, SelectorError } from './selector.ts';
export { configuredAccess, kubernetesRules, kubernetesSettings, selectorText } from './settings.ts';
export type { WatchOptions } from './watch.ts';
export { ObjectWatch } from './watch.ts';
