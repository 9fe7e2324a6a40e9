/**
 * Takes a document, gives it as the config's processors leave it, or the place of the one that drops it.
 * Keeps: in order, one after the other, each sees what those before it made. The document is changed in place, but for a copy of what
 * it shares with others: it is new, and nobody else holds it.
 */
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import {
  compileCondition,
  type DocumentTest,
  fieldValue,
} from '@launchbeat/ecs-schemas/conditions';
import type { FieldValue, Processor } from './processor-config.ts';

export type ProcessorsOutcome =
  | { readonly outcome: 'done'; readonly document: ProcessStart }
  /** `place` is the processor's path in the config, `processors.0`. */
  | { readonly outcome: 'dropped'; readonly place: string };

type Tree = Record<string, unknown>;
/** Changes the document; gives the place of the processor that dropped it. */
type Step = (document: Tree) => string | undefined;

const always: DocumentTest = () => true;

/** The maps down to the field's own, made where they are missing; undefined where a value stands in the way. */
function parentOf(document: Tree, path: readonly string[], make: boolean): Tree | undefined {
  let level = document;
  for (const name of path.slice(0, -1)) {
    if (!Object.hasOwn(level, name)) {
      if (!make) return undefined;
      level[name] = {};
    }
    const next = level[name];
    if (typeof next !== 'object' || next === null || Array.isArray(next)) return undefined;
    level = next as Tree;
  }
  return level;
}

function setField(document: Tree, path: readonly string[], value: FieldValue): void {
  const parent = parentOf(document, path, true);
  if (parent !== undefined) parent[path.at(-1) ?? ''] = structuredClone(value);
}

function dropField(document: Tree, path: readonly string[]): void {
  const parent = parentOf(document, path, false);
  if (parent !== undefined) delete parent[path.at(-1) ?? ''];
}

function addTags(document: Tree, target: readonly string[], tags: readonly string[]): void {
  const there = fieldValue(document, target);
  const before = Array.isArray(there) ? (there as string[]) : [];
  setField(document, target, [...new Set([...before, ...tags])]);
}

function stepOf(processor: Processor): Step {
  if (processor.kind === 'if') {
    const test = compileCondition(processor.condition);
    const yes = stepsOf(processor.yes);
    const no = stepsOf(processor.no);
    return (document) => (test(document) ? yes(document) : no(document));
  }
  const test = processor.when === undefined ? always : compileCondition(processor.when);
  return (document) => {
    if (!test(document)) return undefined;
    switch (processor.kind) {
      case 'drop_event':
        return processor.place;
      case 'drop_fields':
        for (const field of processor.fields) dropField(document, field);
        return undefined;
      case 'add_fields':
        for (const [field, value] of processor.fields) setField(document, field, value);
        return undefined;
      case 'add_tags':
        addTags(document, processor.target, processor.tags);
        return undefined;
    }
  };
}

function stepsOf(processors: readonly Processor[]): Step {
  const steps = processors.map(stepOf);
  return (document) => {
    for (const step of steps) {
      const place = step(document);
      if (place !== undefined) return place;
    }
    return undefined;
  };
}

/** Makes the function that runs the processors; it gives the very document back when there are none. */
export function createProcessors(
  processors: readonly Processor[],
): (document: ProcessStart) => ProcessorsOutcome {
  if (processors.length === 0) return (document) => ({ outcome: 'done', document });
  const run = stepsOf(processors);
  return (document) => {
    // The mapper has just made this document, and nobody else holds it, but for the parts that all documents share.
    const own = {
      ...document,
      agent: { ...document.agent },
      data_stream: { ...document.data_stream },
    };
    const place = run(own);
    return place === undefined ? { outcome: 'done', document: own } : { outcome: 'dropped', place };
  };
}
