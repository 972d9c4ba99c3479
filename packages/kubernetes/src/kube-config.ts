// The one class of the library that Weir uses. A file of its own, so that a bundle leaves out the rest and a process
// loads it only when it reads a kubeconfig.
export { KubeConfig } from '@kubernetes/client-node';
