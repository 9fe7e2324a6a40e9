/**
 * Takes the lists and the condition of a rule, gives a test of documents.
 * Keeps: lists are compared without case; each document's texts are folded once, however many rules look at them.
 */
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import { compileCondition } from '@launchbeat/ecs-schemas/conditions';
import { actorOf } from './alert-fields.ts';
import { compileGlobs, type Glob } from './glob.ts';
import type { AlertRule, MatchLists } from './rule-config.ts';

/** What each list looks at; a list matches if one of the texts matches one of its patterns. */
const TEXTS = {
  programs: ({ launchbeat, process }: ProcessStart) => [launchbeat.program, process.name],
  users: (document: ProcessStart) => userNames(document),
  hosts: ({ host }: ProcessStart) => [host.name, host.name.split('.')[0]],
  parents: ({ process }: ProcessStart) => [process.parent?.name],
  executables: ({ process }: ProcessStart) => [process.executable],
  command_lines: ({ process }: ProcessStart) => [process.command_line],
  flags: ({ launchbeat }: ProcessStart) => launchbeat.flags ?? [],
} as const;

export type ListName = keyof typeof TEXTS;
const LIST_NAMES = Object.keys(TEXTS) as ListName[];

/** A document with its folded texts, made when they are first asked for. */
export interface Subject {
  readonly document: ProcessStart;
  readonly folded: { [Name in ListName]?: readonly string[] };
}

/** Opens a document for the rules. */
export const subjectOf = (document: ProcessStart): Subject => ({ document, folded: {} });

export type Test = (subject: Subject) => boolean;

/** A list of a rule, compiled. */
export interface NamedList {
  readonly name: ListName;
  readonly patterns: readonly string[];
  readonly glob: Glob;
}

/** The lists that are there. */
export function listsOf(lists: MatchLists): NamedList[] {
  return LIST_NAMES.flatMap((name) => {
    const patterns = lists[name];
    return patterns === undefined ? [] : [{ name, patterns, glob: compileGlobs(patterns) }];
  });
}

/** The texts that a list looks at, in lower case. */
export function textsOf(subject: Subject, name: ListName): readonly string[] {
  const known = subject.folded[name];
  if (known !== undefined) return known;
  const texts = TEXTS[name](subject.document)
    .filter((text) => text !== undefined)
    .map((text) => text.toLowerCase());
  subject.folded[name] = texts;
  return texts;
}

/** Whether one of the texts matches one of the patterns. */
export const listMatches = ({ name, glob }: NamedList, subject: Subject): boolean =>
  textsOf(subject, name).some(glob);

/** Whether a rule is about a document, its schedule aside. */
export function compileMatch(rule: AlertRule): Test {
  const wanted = listsOf(rule);
  const unwanted = listsOf(rule.exclude ?? {});
  const holds = rule.when && compileCondition(rule.when);
  return (subject) =>
    (!rule.launch_only || subject.document.launchbeat.launch) &&
    // A rule that names no programs is about the watched ones.
    (rule.programs !== undefined || subject.document.launchbeat.program !== undefined) &&
    wanted.every((one) => listMatches(one, subject)) &&
    !unwanted.some((one) => listMatches(one, subject)) &&
    (holds === undefined || holds(subject.document));
}

function userNames(document: ProcessStart): string[] {
  const { name, domain } = actorOf(document);
  if (name === undefined) return [];
  return domain === undefined ? [name] : [name, `${domain}\\${name}`];
}
