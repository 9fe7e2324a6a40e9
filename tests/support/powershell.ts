/**
 * Takes the text of a PowerShell script, gives its syntax tree or the places where it does not parse. The grammar is
 * tree-sitter's, so no PowerShell is needed; it knows the language as of 5.1 and refuses most of what came later.
 */
import { fileURLToPath } from 'node:url';
import { Language, type Node, Parser } from 'web-tree-sitter';

export type { Node } from 'web-tree-sitter';

const GRAMMAR = fileURLToPath(
  import.meta.resolve('tree-sitter-powershell/tree-sitter-powershell.wasm'),
);

await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(GRAMMAR));

/** Root of the syntax tree. A text with faults has one too; see parsePowerShell(). */
export function powerShellTree(text: string): Node {
  const tree = parser.parse(text);
  if (tree === null) throw new Error('the parser was interrupted');
  return tree.rootNode;
}

/** The node itself and all below it, in the order of the text. */
export function* nodesOf(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children) yield* nodesOf(child);
}

/** Line of a node, from 1. */
export const lineOf = (node: Node): number => node.startPosition.row + 1;

/** What does not parse, a line of words each; nothing for a sound script. */
export function parsePowerShell(text: string): string[] {
  return [...nodesOf(powerShellTree(text))]
    .filter((node) => node.isError || node.isMissing)
    .map((node) => `line ${lineOf(node)}: ${node.type}: ${node.text.slice(0, 60)}`);
}
