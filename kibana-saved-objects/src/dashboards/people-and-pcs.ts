/**
 * Gives the dashboard "People and PCs": who works on which PC with what, and which pairs are out of the ordinary.
 */
import {
  count,
  firstTime,
  lastTime,
  lastValue,
  overTime,
  terms,
  uniqueCount,
} from '../build/columns.ts';
import type { Row } from '../build/dashboard.ts';
import { heatMap, metric, pie, table, xy } from '../build/lens.ts';
import type { SavedObject } from '../build/saved-object.ts';
import { searchPanel } from '../build/text-panels.ts';
import { framed, startOf } from './frame.ts';
import type { Naming } from './naming.ts';
import { BY_PEOPLE, flagged } from './questions.ts';

function figures(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'people');
  const people = metric({
    ...start('people', words.people),
    value: uniqueCount(words.people, 'launchbeat.actor.name'),
  });
  const pcs = metric({
    ...start('pcs', words.pcs),
    value: uniqueCount(words.pcs, 'host.name'),
  });
  const files = metric({
    ...start('files', say('Different programs', 'Разных программ')),
    value: uniqueCount(words.programs, 'process.name'),
  });
  const elevated = metric({
    ...start('elevated', say('Elevated starts', 'С повышенными правами')),
    value: count(words.starts, flagged('elevated')),
  });
  return {
    height: 6,
    panels: [
      [12, people],
      [12, pcs],
      [12, files],
      [12, elevated],
    ],
  };
}

function lists(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'people');
  const people = table({
    ...start('people-list', words.people),
    drilldowns: [naming.open('watched'), naming.open('hunting'), naming.open('alerts')],
    columns: {
      person: terms(words.person, 'launchbeat.actor.name', {
        size: 100,
        by: 'starts',
        and: ['launchbeat.actor.domain'],
      }),
      starts: count(words.starts),
      programs: uniqueCount(words.programs, 'process.name'),
      pcs: uniqueCount(words.pcs, 'host.name'),
      elevated: count(say('Elevated', 'Повышено'), flagged('elevated')),
      last: lastTime(words.last),
    },
    widths: { starts: 80, programs: 105, pcs: 60, elevated: 110, last: 170 },
  });
  const pcs = table({
    ...start('pc-list', words.pcs),
    drilldowns: [
      naming.open('watched'),
      naming.open('hunting'),
      naming.open('alerts'),
      naming.open('health'),
    ],
    columns: {
      pc: terms(words.pc, 'host.name', { size: 100, by: 'starts' }),
      starts: count(words.starts),
      people: uniqueCount(words.people, 'launchbeat.actor.name'),
      person: lastValue(words.lastPerson, 'launchbeat.actor.name'),
      programs: uniqueCount(words.programs, 'process.name'),
      last: lastTime(words.last),
    },
    widths: { starts: 80, people: 100, person: 130, programs: 105, last: 170 },
  });
  return {
    height: 17,
    panels: [
      [24, people],
      [24, pcs],
    ],
  };
}

function pairs(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'people');
  const several = table({
    ...start('several-pcs', say('People on most PCs', 'Сотрудники на наибольшем числе ПК')),
    description: say(
      'Most people have one PC. Administrators have many; anybody else deserves a question.',
      'У большинства один ПК. У администраторов много; про остальных стоит спросить.',
    ),
    drilldowns: [naming.open('trees')],
    columns: {
      person: terms(words.person, 'launchbeat.actor.name', { size: 50, by: 'pcs' }),
      pcs: uniqueCount(words.pcs, 'host.name'),
      starts: count(words.starts),
      pc: lastValue(words.lastPc, 'host.name'),
      last: lastTime(words.last),
    },
    widths: { pcs: 70, starts: 80, pc: 120, last: 170 },
  });
  const rare = table({
    ...start('rare-pairs', say('Unusual places', 'Необычные места')),
    description: say(
      'People with the fewest starts on a PC: a borrowed desk, an administrator at work, or a stolen password.',
      'Сотрудники с наименьшим числом запусков на ПК: чужое рабочее место, работа администратора или украденный пароль.',
    ),
    columns: {
      pair: terms(say('Person on PC', 'Сотрудник на ПК'), 'launchbeat.actor.name', {
        size: 50,
        by: 'starts',
        direction: 'asc',
        and: ['host.name'],
      }),
      starts: count(words.starts),
      first: firstTime(words.first),
      last: lastTime(words.last),
      program: lastValue(say('Last program', 'Посл. программа'), 'process.name'),
    },
    sort: { by: 'starts', direction: 'asc' },
    widths: { starts: 80, first: 170, last: 170, program: 150 },
  });
  return {
    height: 17,
    panels: [
      [20, several],
      [28, rare],
    ],
  };
}

function work(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'people');
  const trend = xy({
    ...start('trend', say('Starts over time by person', 'Запуски по времени и сотрудникам')),
    series: 'bar_stacked',
    columns: {
      split: terms(words.person, 'launchbeat.actor.name', { size: 10, by: 'y', other: true }),
      x: overTime(words.time, 'auto'),
      y: count(words.starts),
    },
  });
  const programs = pie({
    ...start('programs', say('PC, then program', 'ПК, затем программа')),
    shape: 'treemap',
    drilldowns: [naming.open('trees')],
    columns: {
      pc: terms(words.pc, 'host.name', { size: 9, by: 'value' }),
      file: terms(words.file, 'process.name', { size: 4, by: 'value' }),
      value: count(words.starts),
    },
  });
  return {
    height: 14,
    panels: [
      [28, trend],
      [20, programs],
    ],
  };
}

function whereAndWhen(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'people');
  const trend = xy({
    ...start('trend-pcs', say('Starts over time by PC', 'Запуски по времени и ПК')),
    series: 'bar_stacked',
    drilldowns: [naming.open('trees')],
    columns: {
      split: terms(words.pc, 'host.name', { size: 8, by: 'y', other: true }),
      x: overTime(words.time, 'auto'),
      y: count(words.starts),
    },
  });
  const hours = heatMap({
    ...start('hours', say('Starts through the week', 'Запуски в течение недели')),
    description: say(
      'Starts of the 30 most active people per step of time (three hours in a week): work at night and at weekends stands out. Best with a period of up to seven days.',
      'Запуски 30 самых деятельных сотрудников за шаг времени (в неделе — три часа): заметна работа ночью и в выходные. Удобнее за период до семи дней.',
    ),
    drilldowns: [naming.open('watched')],
    starts: [1, 2, 4, 7, 11],
    columns: {
      y: terms(words.person, 'launchbeat.actor.name', { size: 30, by: 'value' }),
      // About three hours in a week; a fixed three hours over years would be more buckets than Elasticsearch gives.
      x: overTime(words.time, 'auto'),
      value: count(words.starts),
    },
  });
  return {
    height: 24,
    panels: [
      [26, trend],
      [22, hours],
    ],
  };
}

export function peopleAndPcs(naming: Naming): SavedObject {
  const { say } = naming;
  const events = searchPanel({
    name: `${naming.dashboardId('people')}/events`,
    title: say('Starts', 'Запуски'),
    searchId: naming.searchId('starts'),
  });
  return framed(naming, {
    key: 'people',
    description: say(
      'What a person runs and where, who uses a PC, and which person appears on a PC where they seldom are.',
      'Что и где запускает сотрудник, кто пользуется ПК и кто появился там, где бывает редко.',
    ),
    howToRead: say(
      '**How to read it.** A person is the account that the start is made for: the target account of the event where it names one (*Run as administrator* included), else the subject. Pick a person or a PC above and everything below is about them.',
      '**Как читать.** Сотрудник — учётная запись, от имени которой идёт запуск: Target события, если указан (в том числе при *запуске от имени администратора*), иначе Subject. Выберите сверху сотрудника или ПК, и всё ниже будет о них.',
    ),
    timeFrom: 'now-7d/d',
    query: BY_PEOPLE,
    rows: [
      figures(naming),
      lists(naming),
      pairs(naming),
      work(naming),
      whereAndWhen(naming),
      { height: 16, panels: [[48, events]] },
    ],
  });
}
