/**
 * The SDK for browsers, Node, Bun, Deno and React Native: `import { connect } from '@weir/client'`. A page without a
 * bundler imports `connect` from the file `dist/weir.js`, or takes it from the global `Weir` of `dist/weir.global.js`.
 *
 * [The SDK](/clients) is the guide.
 *
 * @module @weir/client
 */
export * from '../../packages/client/src/index.ts';
