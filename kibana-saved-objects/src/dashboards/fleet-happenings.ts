/**
 * The rows of "Fleet health" on what happened: facts over time, gaps, auditing off, misused keys.
 */
import {
  count,
  firstTime,
  lastTime,
  lastValue,
  overTime,
  sum,
  terms,
  uniqueCount,
} from '../build/columns.ts';
import type { Row } from '../build/dashboard.ts';
import { table, xy } from '../build/lens.ts';
import { startOf } from './frame.ts';
import { AUDITING_OFF, FACTS, GAPS, MISUSE } from './health-questions.ts';
import type { Naming } from './naming.ts';

function kinds(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'health', naming.healthViewId);
  const overTimeByKind = xy({
    ...start('facts', say('What happened over time', 'Что случилось, по времени')),
    query: FACTS,
    series: 'bar_stacked',
    columns: {
      split: terms(say('What happened', 'Что случилось'), 'launchbeat.health.fact.kind', {
        size: 8,
        by: 'y',
        other: true,
      }),
      x: overTime(words.time, 'auto'),
      y: count(say('Facts', 'Факты')),
    },
  });
  const byKind = table({
    ...start('kinds', say('What happened, by kind', 'Что случилось, по видам')),
    columns: {
      kind: terms(say('What happened', 'Что случилось'), 'launchbeat.health.fact.kind', {
        size: 30,
        by: 'agents',
      }),
      level: lastValue(say('Level', 'Уровень'), 'launchbeat.health.fact.level'),
      agents: uniqueCount(words.agents, 'agent.id'),
      times: sum(say('Times', 'Раз'), 'launchbeat.health.fact.count'),
      last: lastTime(words.last),
    },
    query: FACTS,
    widths: { level: 140, agents: 80, times: 80, last: 170 },
  });
  return {
    height: 15,
    panels: [
      [24, overTimeByKind],
      [24, byKind],
    ],
  };
}

function trouble(naming: Naming): readonly Row[] {
  const { say, words } = naming;
  const start = startOf(naming, 'health', naming.healthViewId);
  const gaps = table({
    ...start('gaps', say('Gaps and cleared logs', 'Пропуски и очищенные журналы')),
    description: say(
      'Events that are gone before anybody read them. A log that was cleared is a question to whoever cleared it.',
      'События, пропавшие до чтения. Очищенный журнал — вопрос к тому, кто его очистил.',
    ),
    query: GAPS,
    drilldowns: [naming.open('people')],
    columns: {
      pc: terms(words.pc, 'host.name', {
        size: 100,
        by: 'events',
        and: ['launchbeat.health.fact.kind'],
      }),
      events: sum(say('Records', 'Записей'), 'launchbeat.health.fact.count'),
      first: firstTime(words.first),
      reason: lastValue(say('Last of it', 'Последнее'), 'event.reason'),
    },
    widths: { pc: 260, events: 95, first: 170 },
    page: 5,
  });
  const auditing = table({
    ...start('auditing', say('Auditing off', 'Аудит выключен')),
    description: say(
      'PCs that said in this period that they audit no process starts, or no command lines.',
      'ПК, которые за период сообщили, что не ведут аудит запусков или командных строк.',
    ),
    query: AUDITING_OFF,
    columns: {
      pc: terms(words.pc, 'host.name', { size: 100, by: 'last' }),
      first: firstTime(say('Since, at the latest', 'Не позже, чем с')),
      last: lastTime(say('Last said', 'Сообщено')),
    },
    widths: { first: 170, last: 170 },
  });
  const misuse = table({
    ...start('misuse', say('Clones and misused keys', 'Клоны и чужие ключи')),
    description: say(
      'One data folder that runs on two PCs, or a key that was used for what is not its own.',
      'Одна папка данных на двух ПК или ключ, которым отправляли чужое.',
    ),
    query: MISUSE,
    columns: {
      agent: terms(words.agent, 'agent.name', {
        size: 50,
        by: 'last',
        and: ['launchbeat.health.fact.kind'],
      }),
      times: sum(say('Times', 'Раз'), 'launchbeat.health.fact.count'),
      last: lastTime(words.last),
    },
    widths: { times: 60, last: 170 },
    lines: 2,
  });
  // Who cleared a log stands in its reason: the table has the whole width for it.
  return [
    { height: 11, panels: [[48, gaps]] },
    {
      height: 9,
      panels: [
        [24, auditing],
        [24, misuse],
      ],
    },
  ];
}

export const happenings = (naming: Naming): readonly Row[] => [kinds(naming), ...trouble(naming)];
