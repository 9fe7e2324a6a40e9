/**
 * Takes a document and a field's path, gives the value there. A key that has dots itself (`log.level`) is found too.
 */

/** The value of a field, undefined where there is none. Only a document's own keys count. */
export function fieldValue(document: object, path: readonly string[]): unknown {
  let level: unknown = document;
  for (const [index, name] of path.entries()) {
    if (typeof level !== 'object' || level === null) return undefined;
    const tree = level as Readonly<Record<string, unknown>>;
    if (!Object.hasOwn(tree, name)) {
      const dotted = path.slice(index).join('.');
      return Object.hasOwn(tree, dotted) ? tree[dotted] : undefined;
    }
    level = tree[name];
  }
  return level;
}
