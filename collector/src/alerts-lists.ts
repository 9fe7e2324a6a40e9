/**
 * Takes alerts.yml as loaded, puts the entries of files in the place of `file:NAME` in its lists.
 * Keeps: a file that cannot be read is a mistake of alerts.yml and told with its line; names are relative to the folder of alerts.yml.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { AlertsConfig } from './assess/alerts-config.ts';
import { MATCH_LISTS, type MatchLists } from './assess/rule-config.ts';

const MARK = 'file:';
const FILE_BYTES_MAX = 4 * 1024 * 1024;

export interface ListedAlerts {
  readonly alerts: AlertsConfig;
  /** Absolute paths of the files that its lists are from. */
  readonly files: readonly string[];
  /** Where a file cannot be used: place in alerts.yml, and a sentence. */
  readonly problems: readonly { readonly path: (string | number)[]; readonly message: string }[];
}

/** Reads the files. Never throws. */
export function readLists(alerts: AlertsConfig, folder: string): ListedAlerts {
  const files = new Set<string>();
  const problems: { path: (string | number)[]; message: string }[] = [];

  function entriesOf(entry: string, path: (string | number)[]): readonly string[] {
    if (!entry.startsWith(MARK)) return [entry];
    const file = resolve(folder, entry.slice(MARK.length).trim());
    files.add(file);
    const read = readEntries(file);
    if (typeof read !== 'string') return read;
    problems.push({ path, message: read });
    return [entry];
  }

  const expand = <Lists extends MatchLists>(
    lists: Lists,
    at: readonly (string | number)[],
  ): Lists => {
    const changed: Record<string, readonly string[]> = {};
    for (const name of MATCH_LISTS) {
      const list = lists[name];
      if (list?.some((entry) => entry.startsWith(MARK))) {
        changed[name] = list.flatMap((entry) => entriesOf(entry, [...at, name]));
      }
    }
    return { ...lists, ...changed };
  };

  const rules = alerts.rules?.map((rule, index) => {
    const at = ['rules', index];
    return {
      ...expand(rule, at),
      ...(rule.exclude === undefined ? {} : { exclude: expand(rule.exclude, [...at, 'exclude']) }),
      ...(rule.followed_by === undefined
        ? {}
        : { followed_by: expand(rule.followed_by, [...at, 'followed_by']) }),
    };
  });
  const groups = Object.fromEntries(
    Object.entries(alerts.groups).map(([name, group]) => [name, expand(group, ['groups', name])]),
  );
  return { alerts: { ...alerts, groups, rules }, files: [...files], problems };
}

/** One entry a line; blank lines and those that begin with # are none. A sentence where there is none. */
function readEntries(file: string): readonly string[] | string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    return `${file} cannot be read (${String(code)}). Write one entry a line, or name another file.`;
  }
  if (text.length > FILE_BYTES_MAX) {
    return `${file} is larger than ${FILE_BYTES_MAX} bytes. Split the list.`;
  }
  const entries = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  return entries.length === 0 ? `${file} has no entries. Write one a line.` : entries;
}
