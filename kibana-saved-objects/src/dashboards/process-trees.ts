/**
 * Gives the dashboard "Process trees": what starts what, and which of it is rare.
 */
import {
  count,
  firstTime,
  lastTime,
  lastValue,
  overTime,
  rareTerms,
  terms,
  uniqueCount,
} from '../build/columns.ts';
import type { Row } from '../build/dashboard.ts';
import { metric, pie, table, xy } from '../build/lens.ts';
import type { SavedObject } from '../build/saved-object.ts';
import { searchPanel } from '../build/text-panels.ts';
import { framed, startOf } from './frame.ts';
import type { Naming } from './naming.ts';
import { FROM_BROWSER_OR_SHELL, flagged } from './questions.ts';

/** At most so many starts in the period make a pair rare. */
const RARE_TIMES_MAX = 3;

function figures(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'trees');
  const pairs = metric({
    ...start('pairs', say('Different pairs', 'Разных пар')),
    value: uniqueCount(say('Pairs', 'Пары'), 'launchbeat.pair'),
  });
  const parents = metric({
    ...start('parents', say('Different parents', 'Разных родителей')),
    value: uniqueCount(say('Parents', 'Родители'), 'process.parent.executable'),
  });
  const office = metric({
    ...start('office', say('Children of Office', 'Потомки Office')),
    value: count(words.starts, flagged('office_child')),
  });
  const shells = metric({
    ...start('shells', say('Shells and script hosts', 'Оболочки и сценарии')),
    value: count(words.starts, flagged('script_host')),
  });
  return {
    height: 6,
    panels: [
      [12, pairs],
      [12, parents],
      [12, office],
      [12, shells],
    ],
  };
}

function pairs(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'trees');
  const pair = say('Parent > child', 'Родитель > потомок');
  const common = table({
    ...start('common-pairs', say('Common pairs', 'Частые пары')),
    columns: {
      pair: terms(pair, 'launchbeat.pair', { size: 100, by: 'starts' }),
      starts: count(words.starts),
      people: uniqueCount(words.people, 'launchbeat.actor.name'),
      pcs: uniqueCount(words.pcs, 'host.name'),
      last: lastTime(words.last),
    },
    widths: { starts: 80, people: 100, pcs: 60, last: 170 },
  });
  const rare = table({
    ...start('rare-pairs', say('Rare pairs', 'Редкие пары')),
    description: say(
      `Seen at most ${RARE_TIMES_MAX} times in the period on all PCs together. The longer the period, the more it means.`,
      `Не чаще ${RARE_TIMES_MAX} раз за период на всех ПК вместе. Чем длиннее период, тем это весомее.`,
    ),
    drilldowns: [naming.open('hunting')],
    columns: {
      pair: rareTerms(pair, 'launchbeat.pair', RARE_TIMES_MAX),
      starts: count(words.starts),
      person: lastValue(words.lastPerson, 'launchbeat.actor.name'),
      pc: lastValue(words.lastPc, 'host.name'),
      last: lastTime(words.last),
    },
    sort: { by: 'last', direction: 'desc' },
    widths: { starts: 80, person: 130, pc: 110, last: 170 },
  });
  return {
    height: 17,
    panels: [
      [22, common],
      [26, rare],
    ],
  };
}

function shapes(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'trees');
  const tree = pie({
    ...start('tree', say('Parent, then child', 'Родитель, затем потомок')),
    shape: 'treemap',
    columns: {
      parent: terms(words.parent, 'process.parent.name', { size: 15, by: 'value' }),
      child: terms(words.file, 'process.name', { size: 10, by: 'value' }),
      value: count(words.starts),
    },
  });
  const parents = xy({
    ...start('parents-over-time', say('Parents over time', 'Родители по времени')),
    series: 'bar_stacked',
    columns: {
      split: terms(words.parent, 'process.parent.name', { size: 8, by: 'y', other: true }),
      x: overTime(words.time, 'auto'),
      y: count(words.starts),
    },
  });
  return {
    height: 15,
    panels: [
      [24, tree],
      [24, parents],
    ],
  };
}

function newAndFetched(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'trees');
  const newest = table({
    ...start('newest-pairs', say('First seen', 'Впервые замечены')),
    description: say(
      'Pairs by the time of their first start within the chosen period, the newest first. Choose a long period.',
      'Пары по времени первого запуска за выбранный период, сначала новые. Выбирайте длинный период.',
    ),
    drilldowns: [naming.open('hunting')],
    columns: {
      pair: terms(say('Parent > child', 'Родитель > потомок'), 'launchbeat.pair', {
        size: 100,
        by: 'first',
      }),
      first: firstTime(words.first),
      starts: count(words.starts),
      person: lastValue(words.lastPerson, 'launchbeat.actor.name'),
      pc: lastValue(words.lastPc, 'host.name'),
    },
    sort: { by: 'first', direction: 'desc' },
    widths: { first: 170, starts: 80, person: 120, pc: 90 },
  });
  const fetched = table({
    ...start(
      'browser-children',
      say('Started by browsers and shells', 'Запущено браузерами и оболочками'),
    ),
    description: say(
      'What people started from a browser, a shell or a script host. A program straight from a browser was just downloaded.',
      'Что сотрудники запустили из браузера, оболочки или сценария. Программа прямо из браузера — только что скачанная.',
    ),
    query: FROM_BROWSER_OR_SHELL,
    drilldowns: [naming.open('hunting')],
    columns: {
      parent: terms(words.parent, 'process.parent.name', { size: 20, by: 'starts' }),
      child: terms(words.file, 'process.name', { size: 10, by: 'starts' }),
      starts: count(words.starts),
      person: lastValue(words.lastPerson, 'launchbeat.actor.name'),
      pc: lastValue(words.lastPc, 'host.name'),
      last: lastTime(words.last),
    },
    widths: { starts: 80, person: 120, pc: 100, last: 170 },
  });
  return {
    height: 17,
    panels: [
      [24, newest],
      [24, fetched],
    ],
  };
}

function suspects(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'trees');
  const columns = {
    parent: terms(words.parent, 'process.parent.name', { size: 20, by: 'starts' }),
    child: terms(words.file, 'process.name', { size: 10, by: 'starts' }),
    starts: count(words.starts),
    person: lastValue(words.lastPerson, 'launchbeat.actor.name'),
    pc: lastValue(words.lastPc, 'host.name'),
    last: lastTime(words.last),
  };
  const widths = { starts: 80, person: 120, pc: 100, last: 170 };
  const office = table({
    ...start('office-children', say('Started by Office programs', 'Запущено программами Office')),
    description: say(
      'A document that starts a program: a macro, an exploit, or a harmless link.',
      'Документ запустил программу: макрос, уязвимость или безобидная ссылка.',
    ),
    query: flagged('office_child'),
    drilldowns: [naming.open('hunting')],
    columns,
    widths,
  });
  const shells = table({
    ...start(
      'shell-parents',
      say('What starts shells and script hosts', 'Кто запускает оболочки и сценарии'),
    ),
    query: flagged('script_host'),
    drilldowns: [naming.open('hunting')],
    columns,
    widths,
  });
  return {
    height: 12,
    panels: [
      [24, office],
      [24, shells],
    ],
  };
}

export function processTrees(naming: Naming): SavedObject {
  const { say } = naming;
  const events = searchPanel({
    name: `${naming.dashboardId('trees')}/events`,
    title: say('Parents and children', 'Родители и потомки'),
    searchId: naming.searchId('parents'),
  });
  return framed(naming, {
    key: 'trees',
    description: say(
      'What starts what: common and rare parent and child pairs, children of Office programs, callers of shells.',
      'Что чем запускается: частые и редкие пары «родитель — потомок», потомки Office, кто вызывает оболочки.',
    ),
    howToRead: say(
      "**How to read it.** To climb a tree, take a row of the last table, filter on its PC and on `process.pid` = its parent's number, shortly before; to descend, on `process.parent.pid`. Windows gives numbers again, so keep the period short. Parent names come from Windows 10 and Server 2016 on.\n\n**What it needs.** `select: all` in the agents' launchbeat.yml; with `watched` only watched programs are here.",
      '**Как читать.** Чтобы подняться по дереву, возьмите строку последней таблицы и отфильтруйте по её ПК и `process.pid`, равному номеру родителя, чуть раньше по времени; чтобы спуститься — по `process.parent.pid`. Windows выдаёт номера повторно, берите короткий период. Имя родителя есть начиная с Windows 10 и Server 2016.\n\n**Что нужно.** `select: all` в launchbeat.yml агентов; при `watched` здесь только отслеживаемые программы.',
    ),
    timeFrom: 'now-7d/d',
    rows: [
      figures(naming),
      pairs(naming),
      newAndFetched(naming),
      suspects(naming),
      shapes(naming),
      { height: 16, panels: [[48, events]] },
    ],
  });
}
