/**
 * Keys for texts that are no keys, such as `1.200806927`: `import { escapeKey } from '@weir/client/keys.js'`.
 * [Publishing](/publishing#keys-with-dots-and-other-signs) has the rule.
 *
 * @module @weir/client/keys
 */
export * from '../../packages/client/src/keys.ts';
