// Rolls the declaration files of a package up into one: the exports of its entry and the declarations they mention,
// nothing else. Fails if the result would differ from the sources.
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseSync } from 'oxc-parser';

/** The text of the one file for `entry`, the path of a `.d.ts` file. Imports of other packages stay imports. */
export function rollUp(entry) {
  const graph = { modules: new Map(), statements: new Map(), packages: new Map() };
  const { exported } = read(entry, graph);
  const reached = reach([...exported.keys()], graph.statements);
  const kept = [...graph.statements].filter(([name]) => reached.has(name)).map(([, { text }]) => text);
  const named = (wanted) =>
    [...exported]
      .filter(([, kind]) => kind === wanted)
      .map(([name]) => name)
      .sort();
  const imports = [...graph.packages].map(
    ([name, names]) => `import type { ${[...names].sort().join(', ')} } from '${name}';`,
  );
  const lines = [...imports, ...kept, `export { ${named('value').join(', ')} };`];
  const types = named('type');
  if (types.length > 0) lines.push(`export type { ${types.join(', ')} };`);
  return `${lines.join('\n')}\n`;
}

/** Reads a file and its imports, depth first, so that a declaration comes before its users. */
function read(file, graph) {
  const known = graph.modules.get(file);
  if (known !== undefined) return known;
  const module = { exported: new Map() };
  graph.modules.set(file, module);
  const text = readFileSync(file, 'utf8');
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  let end = 0;
  for (const node of program.body) {
    const comment = text
      .slice(end, node.start)
      .trim()
      .match(/\/\*\*(?:(?!\*\/)[\s\S])*\*\/$/)?.[0];
    end = node.end;
    add({ node, text, comment, file, module }, graph);
  }
  return module;
}

function add(statement, graph) {
  const { node, text, file, module } = statement;
  const from = node.source?.value;
  if (from?.startsWith('.')) {
    const target = read(declarationOf(file, from), graph);
    for (const one of node.specifiers) {
      const [outside, inside] = [one.exported ?? one.local, one.local].map(({ name }) => name);
      if (one.imported !== undefined ? one.imported.name !== inside : outside !== inside)
        throw new Error(`${file}: ${outside} has another name elsewhere`);
      if (node.type === 'ExportNamedDeclaration') module.exported.set(outside, target.exported.get(inside));
    }
  } else if (node.type === 'ImportDeclaration') addPackage(statement, graph);
  else if (node.type === 'ExportNamedDeclaration' && node.declaration !== null) declare(statement, graph);
  else if (node.type === 'ExportNamedDeclaration' && from === undefined && node.specifiers.length === 0)
    return; // `export {}` only marks the file as a module
  else if (node.type.endsWith('Declaration') && !node.type.startsWith('Export')) declare(statement, graph);
  else throw new Error(`${file}: cannot roll up ${text.slice(node.start, node.end)}`);
}

function addPackage({ node, file }, { packages }) {
  const names = packages.get(node.source.value) ?? new Set();
  packages.set(node.source.value, names);
  for (const { imported, local } of node.specifiers) {
    if (imported?.name !== local.name) throw new Error(`${file}: import ${local.name} by its own name`);
    names.add(local.name);
  }
}

function declare({ node, text, comment, file, module }, graph) {
  const declaration = node.declaration ?? node;
  const body = text.slice(declaration.start, declaration.end);
  const names = declaration.id ? [declaration.id.name] : declaration.declarations.map(({ id }) => id.name);
  const kind = /^TS(Interface|TypeAlias)Declaration$/.test(declaration.type) ? 'type' : 'value';
  for (const name of names) {
    const before = graph.statements.get(name);
    if (before !== undefined && before.file !== file)
      throw new Error(`${name} stands in ${before.file} and in ${file}`);
    // Overloads are several statements with one name.
    const parts = [before?.text, comment, body].filter((part) => part !== undefined);
    const mentions = new Set([...(before?.mentions ?? []), ...namesIn(declaration)]);
    graph.statements.set(name, { text: parts.join('\n'), mentions, file });
    if (node.type === 'ExportNamedDeclaration') module.exported.set(name, kind);
  }
}

/** Every name in a tree, even if it means something else there: the result may have too much, but never too little. */
function namesIn(node, names = new Set()) {
  if (Array.isArray(node)) for (const one of node) namesIn(one, names);
  else if (typeof node === 'object' && node !== null) {
    if (node.type === 'Identifier') names.add(node.name);
    for (const value of Object.values(node)) namesIn(value, names);
  }
  return names;
}

function reach(names, statements) {
  const reached = new Set();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (reached.has(name) || !statements.has(name)) continue;
    reached.add(name);
    queue.push(...statements.get(name).mentions);
  }
  return reached;
}

function declarationOf(file, from) {
  const path = join(dirname(file), dirname(from), `${basename(from).replace(/\.[jt]s$/, '')}.d.ts`);
  if (!existsSync(path)) throw new Error(`${file}: there is no ${path}`);
  return path;
}
