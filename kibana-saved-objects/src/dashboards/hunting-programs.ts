/**
 * Gives the rows of the dashboard "Hunting" that look at programs and their command lines.
 */
import {
  byRange,
  count,
  firstTime,
  lastTime,
  lastValue,
  max,
  percentile,
  sum,
  terms,
  uniqueCount,
} from '../build/columns.ts';
import type { Row } from '../build/dashboard.ts';
import { table } from '../build/lens.ts';
import { startOf } from './frame.ts';
import type { Naming } from './naming.ts';
import { flagged, REDACTED } from './questions.ts';

/** Windows programs in strange hands, and programs in folders that anyone may write to. */
export function borrowed(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'hunting');
  const lolbins = table({
    ...start('lolbin-callers', say('Living off the land', 'Штатные программы Windows')),
    description: say(
      'Windows programs that run, fetch or hide code for others. Look at callers that are few, and at people who have no use for them.',
      'Программы Windows, которые запускают, скачивают или прячут чужой код. Смотрите на редких вызывающих и на сотрудников, которым они ни к чему.',
    ),
    query: flagged('lolbin'),
    drilldowns: [naming.open('trees')],
    columns: {
      file: terms(words.file, 'process.name', { size: 20, by: 'starts' }),
      parent: terms(words.parent, 'process.parent.name', { size: 5, by: 'starts' }),
      starts: count(words.starts),
      people: uniqueCount(words.people, 'launchbeat.actor.name'),
      pcs: uniqueCount(words.pcs, 'host.name'),
      last: lastTime(words.last),
    },
    widths: { starts: 80, people: 100, pcs: 60, last: 170 },
  });
  const writable = table({
    ...start(
      'writable-folders',
      say('Started from writable folders', 'Запуски из папок, открытых на запись'),
    ),
    query: flagged('user_writable_path'),
    drilldowns: [naming.open('trees')],
    columns: {
      folder: terms(words.folder, 'launchbeat.executable_dir', { size: 50, by: 'first' }),
      file: terms(words.file, 'process.name', { size: 5, by: 'starts' }),
      first: firstTime(words.first),
      starts: count(words.starts),
      pcs: uniqueCount(words.pcs, 'host.name'),
      person: lastValue(words.lastPerson, 'launchbeat.actor.name'),
    },
    sort: { by: 'first', direction: 'desc' },
    widths: { file: 150, first: 170, starts: 80, pcs: 60, person: 130 },
    lines: 2,
  });
  return {
    height: 12,
    panels: [
      [22, lolbins],
      [26, writable],
    ],
  };
}

/** Long command lines and secrets on them. */
export function commandLines(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'hunting');
  const length = 'launchbeat.command_line_length';
  // Not bars: next to thousands of short ones the few long ones, which this is about, would be too thin to see.
  const lengths = table({
    ...start('lengths', say('Lengths of command lines', 'Длина командных строк')),
    columns: {
      length: byRange(say('Characters', 'Знаков'), length, [
        { from: 0, to: 100, label: say('under 100', 'до 100') },
        { from: 100, to: 300, label: '100–299' },
        { from: 300, to: 1000, label: '300–999' },
        { from: 1000, to: 4000, label: say('1,000–3,999', '1000–3999') },
        { from: 4000, to: null, label: say('4,000 and more', '4000 и больше') },
      ]),
      starts: count(words.starts),
      people: uniqueCount(words.people, 'launchbeat.actor.name'),
    },
    widths: { starts: 80, people: 100 },
  });
  const longest = table({
    ...start('longest', say('Programs with the longest', 'У каких программ самые длинные')),
    columns: {
      file: terms(words.file, 'process.name', { size: 50, by: 'longest' }),
      longest: max(say('Longest', 'Максимум'), length),
      usual: percentile(say('95% below', '95% короче'), length, 95),
      long: count(say('Over 1,000', 'Свыше 1000'), flagged('long_cmdline')),
      starts: count(words.starts),
    },
    widths: { longest: 95, usual: 110, long: 105, starts: 80 },
  });
  const secrets = table({
    ...start('secret-list', say('Secrets on command lines', 'Секреты в командных строках')),
    query: REDACTED,
    columns: {
      file: terms(words.file, 'process.name', { size: 50, by: 'secrets' }),
      secrets: sum(say('Secrets', 'Секреты'), 'launchbeat.redacted'),
      people: uniqueCount(words.people, 'launchbeat.actor.name'),
      pc: lastValue(words.lastPc, 'host.name'),
      last: lastTime(words.last),
    },
    widths: { secrets: 80, people: 100, pc: 90, last: 170 },
  });
  return {
    height: 17,
    panels: [
      [11, lengths],
      [18, longest],
      [19, secrets],
    ],
  };
}
