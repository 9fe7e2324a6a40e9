/**
 * Gives the dashboard "Watched programs": when each person begins and ends the day with each of them, and on which PC.
 */
import { count, firstTime, lastTime, overTime, terms, uniqueCount } from '../build/columns.ts';
import type { Row } from '../build/dashboard.ts';
import { heatMap, metric, table, xy } from '../build/lens.ts';
import type { SavedObject } from '../build/saved-object.ts';
import { searchPanel } from '../build/text-panels.ts';
import { framed, startOf } from './frame.ts';
import type { Naming } from './naming.ts';
import { WATCHED_LAUNCH } from './questions.ts';

function figures(naming: Naming): Row {
  const { words } = naming;
  const start = startOf(naming, 'watched');
  const launches = metric({
    ...start('launches', words.launches),
    value: count(words.launches),
  });
  const people = metric({
    ...start('people', words.people),
    value: uniqueCount(words.people, 'launchbeat.actor.name'),
  });
  const pcs = metric({
    ...start('pcs', words.pcs),
    value: uniqueCount(words.pcs, 'host.name'),
  });
  const programs = metric({
    ...start('programs', words.programs),
    value: uniqueCount(words.programs, 'launchbeat.program'),
  });
  return {
    height: 6,
    panels: [
      [12, launches],
      [12, people],
      [12, pcs],
      [12, programs],
    ],
  };
}

function days(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'watched');
  const firstAndLast = table({
    ...start(
      'first-and-last',
      say('First and last launch of the day', 'Первый и последний запуск за день'),
    ),
    description: say(
      'Per day and person, in the time zone of your browser. It says when programs were launched, not for how long they were used.',
      'По дням и сотрудникам, в часовом поясе вашего браузера. Видно, когда программы запускали, но не сколько ими пользовались.',
    ),
    drilldowns: [naming.open('people')],
    columns: {
      day: overTime(say('Day', 'День'), '1d', false),
      person: terms(words.person, 'launchbeat.actor.name', {
        size: 100,
        by: 'term',
        direction: 'asc',
      }),
      first: firstTime(words.first),
      last: lastTime(words.last),
      programs: uniqueCount(words.programs, 'launchbeat.program'),
      launches: count(words.launches),
    },
    sort: { by: 'day', direction: 'desc' },
    widths: { day: 110, first: 170, last: 170, programs: 105, launches: 90 },
    page: 15,
  });
  const hours = heatMap({
    ...start('hours', say('Launches through the week', 'Запуски в течение недели')),
    description: say(
      'Launches of the 30 people who launch most, per step of time (three hours in a week): working days stand out as columns, nights and weekends as gaps. Best with a period of up to seven days.',
      'Запуски 30 самых деятельных сотрудников за шаг времени (в неделе — три часа): рабочие дни видны столбцами, ночи и выходные — пробелами. Удобнее за период до семи дней.',
    ),
    drilldowns: [naming.open('people')],
    starts: [1, 2, 3, 5, 8],
    columns: {
      y: terms(words.person, 'launchbeat.actor.name', { size: 30, by: 'value' }),
      x: overTime(words.time, 'auto'),
      value: count(words.launches),
    },
  });
  return {
    height: 24,
    panels: [
      [27, firstAndLast],
      [21, hours],
    ],
  };
}

function programs(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'watched');
  const trend = xy({
    ...start('trend', say('Launches over time', 'Запуски по времени')),
    series: 'bar_stacked',
    columns: {
      split: terms(words.program, 'launchbeat.program', { size: 8, by: 'y', other: true }),
      x: overTime(words.time, 'auto'),
      y: count(words.launches),
    },
  });
  const perPc = xy({
    ...start('per-pc', say('Programs per PC', 'Программы по ПК')),
    series: 'bar_horizontal_stacked',
    drilldowns: [naming.open('people')],
    columns: {
      x: terms(words.pc, 'host.name', { size: 20, by: 'y' }),
      split: terms(words.program, 'launchbeat.program', { size: 8, by: 'y', other: true }),
      y: count(words.launches),
    },
  });
  return {
    height: 15,
    panels: [
      [28, trend],
      [20, perPc],
    ],
  };
}

function peopleRow(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'watched');
  const each = table({
    ...start('each', say('Who uses what', 'Кто чем пользуется')),
    drilldowns: [naming.open('people')],
    columns: {
      program: terms(words.program, 'launchbeat.program', {
        size: 20,
        by: 'term',
        direction: 'asc',
      }),
      person: terms(words.person, 'launchbeat.actor.name', { size: 100, by: 'launches' }),
      launches: count(words.launches),
      pcs: uniqueCount(words.pcs, 'host.name'),
      first: firstTime(words.first),
      last: lastTime(words.last),
    },
    widths: { program: 130, launches: 90, pcs: 60, first: 170, last: 170 },
  });
  const single = searchPanel({
    name: `${naming.dashboardId('watched')}/events`,
    title: say('Launches', 'Запуски'),
    searchId: naming.searchId('launches'),
  });
  return {
    height: 17,
    panels: [
      [25, each],
      [23, single],
    ],
  };
}

export function watchedPrograms(naming: Naming): SavedObject {
  const { say } = naming;
  return framed(naming, {
    key: 'watched',
    description: say(
      'When each person launches the watched programs: first and last of the day, hours, PCs, single launches.',
      'Когда сотрудники запускают отслеживаемые программы: первый и последний запуск за день, часы, ПК, отдельные запуски.',
    ),
    howToRead: say(
      '**How to read it.** Only launches by people of the programs that the agents watch (`programs` in launchbeat.yml). Pick a program or a person in the controls above. A program that stays open all day has one launch: a late *last launch* is no proof of late work, and an early one none of leaving early.',
      '**Как читать.** Только запуски сотрудниками программ из списка агентов (`programs` в launchbeat.yml). Программу или сотрудника выберите сверху. У программы, открытой весь день, один запуск: поздний *последний запуск* не доказывает, что работали допоздна, а ранний — что рано ушли.',
    ),
    timeFrom: 'now-7d/d',
    query: WATCHED_LAUNCH,
    rows: [figures(naming), days(naming), programs(naming), peopleRow(naming)],
  });
}
