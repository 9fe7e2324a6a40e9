/**
 * Takes the lists and the condition of a rule, gives a test of documents.
 * Keeps: lists are compared without case; each document's texts are folded once, however many rules look at them.
 */
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import { compileCondition } from '@launchbeat/ecs-schemas/conditions';
import { actorOf } from './alert-fields.ts';
import { compileGlobs, type Glob } from './glob.ts';
import { type Fleet, hostNames } from './pc-groups.ts';
import type { AlertRule, MatchLists } from './rule-config.ts';

/** What each list looks at; a list matches if one of the texts matches one of its patterns. */
const TEXTS = {
  programs: ({ launchbeat, process }: ProcessStart) => [launchbeat.program, process.name],
  users: (document: ProcessStart) => userNames(document),
  hosts: ({ host }: ProcessStart) => hostNames(host.name),
  parents: ({ process }: ProcessStart) => [process.parent?.name],
  executables: ({ process }: ProcessStart) => [process.executable],
  command_lines: ({ process }: ProcessStart) => [process.command_line],
  flags: ({ launchbeat }: ProcessStart) => launchbeat.flags ?? [],
  tags: (document: ProcessStart, { tagsOf }: Fleet) => [
    ...(document.tags ?? []),
    ...tagsOf(document.agent.id.toLowerCase()),
  ],
  groups: (document: ProcessStart, fleet: Fleet) => fleet.groupsOf(placeOf(document, fleet)),
} as const;

const placeOf = (document: ProcessStart, fleet: Fleet) => ({
  hosts: hostNames(document.host.name).map((name) => name.toLowerCase()),
  tags: TEXTS.tags(document, fleet).map((tag) => tag.toLowerCase()),
});

export type ListName = keyof typeof TEXTS;
const LIST_NAMES = Object.keys(TEXTS) as ListName[];

/** A document with its folded texts, made when they are first asked for. */
export interface Subject {
  readonly document: ProcessStart;
  readonly fleet: Fleet;
  readonly folded: { [Name in ListName]?: readonly string[] };
}

/** The groups of the subject's PC. */
export const groupsOf = (subject: Subject): readonly string[] =>
  subject.fleet.groupsOf(placeOf(subject.document, subject.fleet));

/** Opens a document for the rules. */
export const subjectOf = (document: ProcessStart, fleet: Fleet): Subject => ({
  document,
  fleet,
  folded: {},
});

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
  const texts = TEXTS[name](subject.document, subject.fleet)
    .filter((text) => text !== undefined)
    .map((text) => text.toLowerCase());
  subject.folded[name] = texts;
  return texts;
}

/** Whether one of the texts matches one of the patterns. */
export const listMatches = ({ name, glob }: NamedList, subject: Subject): boolean =>
  textsOf(subject, name).some(glob);

/** Whether a rule is about a document, its programs and its schedule aside: these are asked first, see rule-index.ts. */
export function compileMatch(rule: AlertRule): Test {
  const wanted = listsOf(rule).filter(({ name }) => name !== 'programs');
  const unwanted = listsOf(rule.exclude ?? {}).filter(({ name }) => name !== 'programs');
  const holds = rule.when && compileCondition(rule.when);
  const { launch_only: launchOnly } = rule;
  // Loops, since every event comes by here once for each rule.
  return (subject) => {
    if (launchOnly && !subject.document.launchbeat.launch) return false;
    for (const one of wanted) if (!listMatches(one, subject)) return false;
    for (const one of unwanted) if (listMatches(one, subject)) return false;
    return holds === undefined || holds(subject.document);
  };
}

/** Whether a rule is about programs of these names (in lower case), and the program is watched where it names none. */
export function compileProgramMatch(
  rule: AlertRule,
): (names: readonly string[], isWatched: boolean) => boolean {
  const isWanted = rule.programs && compileGlobs(rule.programs);
  const isUnwanted = rule.exclude?.programs && compileGlobs(rule.exclude.programs);
  return (names, isWatched) =>
    (isWanted === undefined ? isWatched : names.some(isWanted)) &&
    (isUnwanted === undefined || !names.some(isUnwanted));
}

function userNames(document: ProcessStart): string[] {
  const { name, domain } = actorOf(document);
  if (name === undefined) return [];
  return domain === undefined ? [name] : [name, `${domain}\\${name}`];
}
