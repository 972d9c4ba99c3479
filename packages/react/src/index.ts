// The public surface: a provider, the hooks, and the hooks with the types of an application.
export { useChannel, useCritical, useKey, useStatus } from './hooks.ts';
export type { AnyWeir, WeirProviderProps } from './provider.ts';
export { useWeir, WeirProvider } from './provider.ts';
export type { Hooks } from './typed.ts';
export { typedHooks } from './typed.ts';
