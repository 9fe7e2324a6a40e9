/**
 * Takes rules, gives for a document those whose programs fit.
 * Keeps: what a program's name decides is worked out once for each name and not for each event; memory is bounded, since names come
 * from strangers.
 */
import { compileProgramMatch, type Subject, textsOf } from './match-document.ts';
import type { AlertRule } from './rule-config.ts';

const NAMES_MAX = 5000;

/** Makes the index; the entries that fit come in the order in which they were given. */
export function createRuleIndex<Entry extends { readonly rule: AlertRule }>(
  entries: readonly Entry[],
): (subject: Subject) => readonly Entry[] {
  const tests = entries.map((entry) => [entry, compileProgramMatch(entry.rule)] as const);
  const known = new Map<string, readonly Entry[]>();
  return (subject) => {
    const names = textsOf(subject, 'programs');
    const isWatched = subject.document.launchbeat.program !== undefined;
    // Without a label the only name is the file's.
    const place = `${isWatched ? '+' : '-'}${names.join('\n')}`;
    const found = known.get(place);
    if (found !== undefined) return found;
    const fitting = tests.filter(([, fits]) => fits(names, isWatched)).map(([entry]) => entry);
    if (known.size >= NAMES_MAX) known.clear();
    known.set(place, fitting);
    return fitting;
  };
}
