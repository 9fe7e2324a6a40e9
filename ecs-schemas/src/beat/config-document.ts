/**
 * Takes the text of a YAML config, gives its values as a nested object and the line of every key.
 * Keeps: dotted keys (`logging.level: info`) and nested ones mean the same, as in Beats; variables are expanded inside
 * scalars only, so that a value can never add keys.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parse,
  parseDocument,
  type Scalar,
} from 'yaml';
import type { ConfigProblem } from './config-problem.ts';
import type { Environment } from './environment.ts';
import { expandVariables } from './expand-variables.ts';

type Tree = { [key: string]: unknown };

export interface ConfigDocument {
  readonly values: Tree;
  /** Line (from 1) by dotted path, e.g. `launchbeat.programs.0.name`. */
  readonly lines: ReadonlyMap<string, number>;
  readonly problems: readonly ConfigProblem[];
}

/** Reads one document. Syntax errors, duplicate keys and missing variables come back as problems. */
export function readConfigDocument(text: string, environment: Environment): ConfigDocument {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const reader = new Reader(counter, environment);
  const problems: ConfigProblem[] = document.errors.map((error) => ({
    path: '',
    line: counter.linePos(error.pos[0]).line,
    message: `${error.message.replace(/\.?$/, '.')} Mend the YAML there.`,
  }));
  if (problems.length > 0) return { values: {}, lines: new Map(), problems };
  const root = document.contents;
  if (root === null) return { values: {}, lines: new Map(), problems: [] };
  if (!isMap(root)) {
    return {
      values: {},
      lines: new Map(),
      problems: [
        { path: '', line: 1, message: 'Expected keys and values at the top of the file.' },
      ],
    };
  }
  const values = reader.read(root as Node, '') as Tree;
  return { values, lines: reader.lines, problems: reader.problems };
}

/** Puts `value` at a dotted path into `tree`; false if something that is no map stands in the way. */
export function setPath(tree: Tree, path: string, value: unknown): boolean {
  const names = path.split('.');
  const leaf = names.pop() ?? path;
  let level = tree;
  for (const name of names) {
    if (level[name] === undefined || level[name] === null) level[name] = {};
    const next = level[name];
    if (typeof next !== 'object' || next === null) return false;
    level = next as Tree;
  }
  const there = level[leaf];
  if (isTree(there) && isTree(value)) {
    return Object.entries(value).every(([key, inner]) => setPath(there, key, inner));
  }
  level[leaf] = value;
  return true;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

class Reader {
  readonly lines = new Map<string, number>();
  readonly problems: ConfigProblem[] = [];
  readonly #counter: LineCounter;
  readonly #environment: Environment;

  constructor(counter: LineCounter, environment: Environment) {
    this.#counter = counter;
    this.#environment = environment;
  }

  read(node: Node | null, path: string): unknown {
    if (node === null) return null;
    if (isAlias(node))
      return this.#refuse(node, path, 'Aliases are not taken. Write the value out.');
    if (isMap(node)) return this.#map(node.items as { key: unknown; value: unknown }[], path);
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const child = path === '' ? String(index) : `${path}.${index}`;
        this.#note(item as Node, child);
        return this.read(item as Node, child);
      });
    }
    return isScalar(node) ? this.#scalar(node, path) : null;
  }

  #map(items: readonly { key: unknown; value: unknown }[], path: string): Tree {
    const tree: Tree = Object.create(null) as Tree;
    for (const { key, value } of items) {
      const keyNode = key as Scalar;
      const name = String(keyNode.value);
      const child = path === '' ? name : `${path}.${name}`;
      if (/(^|\.)(__proto__|constructor|prototype)(\.|$)/.test(name)) {
        this.#refuse(keyNode, child, 'Key is not allowed. Delete it.');
        continue;
      }
      this.#note(keyNode, child);
      const read = this.read(value as Node | null, child);
      if (pathTaken(tree, name, read) || !setPath(tree, name, read)) {
        this.#refuse(
          keyNode,
          child,
          'Key stands twice, once with dots and once nested. Keep one of them.',
        );
      }
    }
    return tree;
  }

  #scalar(node: Scalar, path: string): unknown {
    if (typeof node.value !== 'string' || !node.value.includes('$')) return node.value;
    const { text, problems } = expandVariables(node.value, this.#environment);
    for (const message of problems) this.#refuse(node, path, message);
    // A plain scalar may become a number, a boolean or a list; a quoted one stays text.
    return node.type === 'PLAIN' ? plainValue(text) : text;
  }

  #note(node: Node | null, path: string): void {
    if (node?.range === null || node?.range === undefined) return;
    const { line } = this.#counter.linePos(node.range[0]);
    const names = path.split('.');
    for (let length = 1; length <= names.length; length += 1) {
      const prefix = names.slice(0, length).join('.');
      if (!this.lines.has(prefix)) this.lines.set(prefix, line);
    }
  }

  #refuse(node: Node, path: string, message: string): null {
    const line = node.range ? this.#counter.linePos(node.range[0]).line : undefined;
    this.problems.push({ path, line, message });
    return null;
  }
}

function pathTaken(tree: Tree, path: string, value: unknown): boolean {
  const there = path
    .split('.')
    .reduce<unknown>((level, name) => (isTree(level) ? level[name] : undefined), tree);
  return there !== undefined && !(isTree(there) && isTree(value));
}

/** Reads a text as YAML would read it where it stands bare; text that is no YAML stays text. */
export function plainValue(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    return text;
  }
}
