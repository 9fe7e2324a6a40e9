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
import { table, xy } from '../build/lens.ts';
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
    widths: { starts: 90, people: 110, pcs: 70, last: 200 },
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
    widths: { first: 200, starts: 90, pcs: 70, person: 130 },
  });
  return {
    height: 15,
    panels: [
      [24, lolbins],
      [24, writable],
    ],
  };
}

/** Long command lines and secrets on them. */
export function commandLines(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'hunting');
  const length = 'launchbeat.command_line_length';
  const lengths = xy({
    ...start('lengths', say('Lengths of command lines', 'Длина командных строк')),
    series: 'bar_horizontal',
    columns: {
      x: byRange(say('Characters', 'Знаков'), length, [
        { from: 0, to: 100, label: say('under 100', 'до 100') },
        { from: 100, to: 300, label: '100–299' },
        { from: 300, to: 1000, label: '300–999' },
        { from: 1000, to: 4000, label: '1000–3999' },
        { from: 4000, to: null, label: say('4000 and more', '4000 и больше') },
      ]),
      y: count(words.starts),
    },
  });
  const longest = table({
    ...start('longest', say('Programs with the longest', 'У каких программ самые длинные')),
    columns: {
      file: terms(words.file, 'process.name', { size: 50, by: 'longest' }),
      longest: max(say('Longest', 'Самая длинная'), length),
      usual: percentile(say('95 of 100 are below', '95 из 100 короче'), length, 95),
      long: count(say('Over 1,000', 'Длиннее 1000'), flagged('long_cmdline')),
      starts: count(words.starts),
    },
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
  });
  return {
    height: 13,
    panels: [
      [12, lengths],
      [18, longest],
      [18, secrets],
    ],
  };
}
