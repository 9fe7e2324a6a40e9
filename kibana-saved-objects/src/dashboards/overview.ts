/**
 * Gives the dashboard "Overview": what runs, who starts it and where.
 */
import {
  byQuery,
  count,
  firstTime,
  lastTime,
  lastValue,
  overTime,
  terms,
  uniqueCount,
} from '../build/columns.ts';
import type { Row } from '../build/dashboard.ts';
import { metric, pie, table, xy } from '../build/lens.ts';
import type { SavedObject } from '../build/saved-object.ts';
import { searchPanel } from '../build/text-panels.ts';
import { framed, startOf } from './frame.ts';
import type { Naming } from './naming.ts';
import { BY_PEOPLE, NOT_BY_PEOPLE, WATCHED } from './questions.ts';

function figures(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'overview');
  const starts = metric({
    ...start('starts', say('Process starts', 'Запуски процессов')),
    value: count(words.starts),
  });
  const launches = metric({
    ...start('launches', say('Started by people', 'Запущено сотрудниками')),
    description: say(
      'Without helper processes and without the system.',
      'Без служебных процессов и без системы.',
    ),
    value: count(words.launches, BY_PEOPLE),
  });
  const people = metric({
    ...start('people', words.people),
    value: uniqueCount(words.people, 'launchbeat.actor.name', BY_PEOPLE),
  });
  const pcs = metric({
    ...start('pcs', words.pcs),
    value: uniqueCount(words.pcs, 'host.name'),
  });
  const executables = metric({
    ...start('executables', say('Different executables', 'Разных исполняемых файлов')),
    value: uniqueCount(words.executables, 'process.executable'),
  });
  const share = pie({
    ...start('helper-share', say('Who starts', 'Чьи запуски')),
    description: say(
      'The share of helper processes and of the system. Empty of them unless the agents are told to send them (exclude: both false).',
      'Доля служебных процессов и системы. Их нет, пока агентам не велено их отправлять (exclude: оба false).',
    ),
    shape: 'donut',
    columns: {
      who: byQuery(say('Who', 'Кто'), [
        { label: say('People', 'Сотрудники'), query: BY_PEOPLE },
        {
          label: say('Helpers, system', 'Служебные'),
          query: NOT_BY_PEOPLE,
        },
      ]),
      value: count(words.starts),
    },
  });
  return {
    height: 7,
    panels: [
      [7, starts],
      [8, launches],
      [6, people],
      [6, pcs],
      [7, executables],
      [14, share],
    ],
  };
}

function overTimeRow(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'overview');
  const byProgram = xy({
    ...start('by-program', say('Watched programs over time', 'Отслеживаемые программы по времени')),
    query: `${BY_PEOPLE} and ${WATCHED}`,
    series: 'bar_stacked',
    drilldowns: [naming.open('watched')],
    columns: {
      split: terms(words.program, 'launchbeat.program', { size: 8, by: 'y', other: true }),
      x: overTime(words.time, 'auto'),
      y: count(words.launches),
    },
  });
  const byKind = xy({
    ...start('by-kind', say('All starts over time', 'Все запуски по времени')),
    series: 'bar_stacked',
    columns: {
      split: byQuery(say('Who', 'Кто'), [
        { label: say('People', 'Сотрудники'), query: BY_PEOPLE },
        {
          label: say('Helpers, system', 'Служебные'),
          query: NOT_BY_PEOPLE,
        },
      ]),
      x: overTime(words.time, 'auto'),
      y: count(words.starts),
    },
  });
  return {
    height: 12,
    panels: [
      [28, byProgram],
      [20, byKind],
    ],
  };
}

function whoAndWhere(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'overview');
  const who = xy({
    ...start('who', say('Who starts most', 'Кто запускает чаще всех')),
    query: BY_PEOPLE,
    series: 'bar_horizontal',
    drilldowns: [naming.open('people')],
    columns: {
      x: terms(words.person, 'launchbeat.actor.name', { size: 15, by: 'y' }),
      y: count(words.launches),
    },
  });
  const where = xy({
    ...start('where', say('On which PCs', 'На каких ПК')),
    query: BY_PEOPLE,
    series: 'bar_horizontal',
    drilldowns: [naming.open('people')],
    columns: {
      x: terms(words.pc, 'host.name', { size: 15, by: 'y' }),
      y: count(words.launches),
    },
  });
  const what = pie({
    ...start('what', say('Person, then program', 'Сотрудник, затем программа')),
    query: BY_PEOPLE,
    shape: 'treemap',
    columns: {
      person: terms(words.person, 'launchbeat.actor.name', { size: 9, by: 'value' }),
      file: terms(words.file, 'process.name', { size: 4, by: 'value' }),
      value: count(words.launches),
    },
  });
  return {
    height: 14,
    panels: [
      [14, who],
      [14, where],
      [20, what],
    ],
  };
}

function executables(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'overview');
  const most = table({
    ...start('most', say('Most started executables', 'Чаще всего запускаемые файлы')),
    drilldowns: [naming.open('trees')],
    columns: {
      executable: terms(words.executable, 'process.executable', { size: 100, by: 'starts' }),
      starts: count(words.starts),
      people: uniqueCount(words.people, 'launchbeat.actor.name'),
      pcs: uniqueCount(words.pcs, 'host.name'),
      last: lastTime(words.last),
    },
    widths: { starts: 80, people: 100, pcs: 60, last: 170 },
    lines: 2,
  });
  const newest = table({
    ...start('newest', say('Newest executables', 'Новые исполняемые файлы')),
    description: say(
      'By the time of the first start within the chosen period. Choose a long period: what is new today may be old this month.',
      'По времени первого запуска за выбранный период. Выбирайте длинный период: новое сегодня могло быть и раньше в этом месяце.',
    ),
    drilldowns: [naming.open('hunting')],
    columns: {
      executable: terms(words.executable, 'process.executable', { size: 100, by: 'first' }),
      first: firstTime(words.first),
      person: lastValue(words.lastPerson, 'launchbeat.actor.name'),
      pc: lastValue(words.lastPc, 'host.name'),
      starts: count(words.starts),
    },
    sort: { by: 'first', direction: 'desc' },
    widths: { first: 170, person: 130, pc: 90, starts: 80 },
    lines: 2,
  });
  return {
    height: 26,
    panels: [
      [24, most],
      [24, newest],
    ],
  };
}

export function overview(naming: Naming): SavedObject {
  const { say } = naming;
  const newest = searchPanel({
    name: `${naming.dashboardId('overview')}/events`,
    title: say('Newest starts', 'Последние запуски'),
    searchId: naming.searchId('starts'),
  });
  return framed(naming, {
    key: 'overview',
    description: say(
      'What runs on the Windows PCs, who starts it and where: figures, trends, most started and newest executables, newest events.',
      'Что запускается на ПК с Windows, кем и где: итоги, динамика, частые и новые файлы, последние события.',
    ),
    howToRead: say(
      "**How to read it.** A start is one Windows event 4688. It counts as *started by people* when it is neither a helper process of a program (browsers start dozens) nor one of the system. Click a person, PC or file to filter, or to open the next dashboard with that filter; the links above keep time range, query and filters.\n\n**What it needs.** With the agents' default `select: watched` only watched programs are here. For every start set `select: all`, and both keys of `exclude` to false.",
      '**Как читать.** Запуск — одно событие Windows 4688. *Запуск сотрудника* — не служебный процесс программы (браузер создаёт их десятками) и не запуск системой. Щёлкните сотрудника, ПК или файл, чтобы отфильтровать или открыть следующую панель с этим фильтром; ссылки сверху сохраняют период, запрос и фильтры.\n\n**Что нужно.** При настройке агентов по умолчанию `select: watched` здесь только отслеживаемые программы. Чтобы видеть все запуски, задайте `select: all` и оба ключа `exclude` — false.',
    ),
    timeFrom: 'now-24h',
    rows: [
      figures(naming),
      overTimeRow(naming),
      whoAndWhere(naming),
      executables(naming),
      { height: 16, panels: [[48, newest]] },
    ],
  });
}
