/**
 * The hooks for React 18 and later: `import { useKey, WeirProvider } from '@weir/react'`.
 *
 * [React](/react) is the guide.
 *
 * @module @weir/react
 */
export * from '../../packages/react/src/index.ts';
