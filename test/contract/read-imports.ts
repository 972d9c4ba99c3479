// Reads the imports of one source file, in all forms, and whether it reads the environment. Knows no rules. Parses the
// file, so comments and strings cannot mislead it.
import { parseSync, Visitor } from 'oxc-parser';

export interface Import {
  /** The imported name; undefined if it is computed. */
  readonly from: string | undefined;
  /** `types` for a type-only import. */
  readonly kind: 'code' | 'types';
}

export interface Source {
  readonly imports: readonly Import[];
  readonly readsEnvironment: boolean;
  readonly exportsAll: boolean;
}

interface Node {
  readonly type: string;
  readonly [property: string]: unknown;
}

/** Reads a file; its name tells the language. Throws for a file that is not a module. */
export function readImports(file: string, text: string): Source {
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors.map(({ message }) => message).join('; ')}`);
  const imports: Import[] = [];
  let readsEnvironment = false;
  let exportsAll = false;
  const add = (from: string | undefined, types: boolean): void => {
    imports.push({ from, kind: types ? 'types' : 'code' });
    if (!types && (from === 'process' || from === 'node:process')) readsEnvironment = true;
  };
  new Visitor({
    ImportDeclaration: ({ source, importKind, specifiers }) => {
      const named = specifiers.length > 0 && specifiers.every(isTypeOnly('importKind'));
      add(source.value, importKind === 'type' || named);
    },
    ExportNamedDeclaration: ({ source, exportKind, specifiers }) => {
      if (source === null) return;
      const named = specifiers.length > 0 && specifiers.every(isTypeOnly('exportKind'));
      add(source.value, exportKind === 'type' || named);
    },
    ExportAllDeclaration: ({ source, exportKind }) => {
      exportsAll = true;
      add(source.value, exportKind === 'type');
    },
    ImportExpression: ({ source }) => add(textOf(source), false),
    TSImportType: ({ source }) => add(source.value, true),
    TSImportEqualsDeclaration: ({ moduleReference, importKind }) => {
      if (moduleReference.type !== 'TSExternalModuleReference') return;
      add(moduleReference.expression.value, importKind === 'type');
    },
    CallExpression: ({ callee, arguments: given }) => {
      // `require`, including one from `createRequire`, and similar calls.
      const isRequire = callee.type === 'Identifier' && callee.name === 'require';
      if (isRequire || isMember(callee, 'require', 'resolve') || isMember(callee, 'meta', 'resolve'))
        add(textOf(given[0]), false);
    },
    // `new URL('./x.ts', import.meta.url)` names the module of a worker or child process.
    NewExpression: ({ callee, arguments: given }) => {
      if (callee.type !== 'Identifier' || callee.name !== 'URL' || given[1]?.type !== 'MemberExpression')
        return;
      const from = textOf(given[0]);
      if (from !== undefined && /^\.{1,2}\/.*\.[cm]?[jt]s$/.test(from)) add(from, false);
    },
    MemberExpression: (node) => {
      if (isMember(node, 'process', 'env')) readsEnvironment = true;
    },
    VariableDeclarator: ({ id, init }) => {
      // const { env } = process
      if (init?.type === 'Identifier' && init.name === 'process' && id.type === 'ObjectPattern')
        readsEnvironment = true;
    },
  }).visit(program);
  return { imports, readsEnvironment, exportsAll };
}

function isTypeOnly(property: string): (specifier: object) => boolean {
  return (specifier) =>
    Object.entries(specifier).some(([name, kind]) => name === property && kind === 'type');
}

/** `a.b`, `a['b']`, and `x.a.b` by its last two names. */
function isMember(node: object, object: string, property: string): boolean {
  if (!isNode(node) || node.type !== 'MemberExpression') return false;
  return nameOf(node['object']) === object && nameOf(node['property']) === property;
}

/** The last name of an identifier, a member expression or a string. */
function nameOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Identifier') return typeof node['name'] === 'string' ? node['name'] : undefined;
  if (node.type === 'MetaProperty') return nameOf(node['property']);
  if (node.type === 'MemberExpression') return nameOf(node['property']);
  return textOf(node);
}

function textOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Literal') return typeof node['value'] === 'string' ? node['value'] : undefined;
  const { quasis } = node;
  if (node.type !== 'TemplateLiteral' || !Array.isArray(quasis) || quasis.length !== 1) return undefined;
  return quasis[0].value.cooked;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
