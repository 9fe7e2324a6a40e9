/**
 * Gives the dashboard "Fleet health": which agents are well, which are silent, what was lost and where auditing is off.
 */
import {
  count,
  lastTime,
  lastValue,
  lately,
  maxOf,
  overTime,
  percentileOf,
  terms,
  uniqueCount,
} from '../build/columns.ts';
import type { Row } from '../build/dashboard.ts';
import { metric, pie, table, xy } from '../build/lens.ts';
import type { SavedObject } from '../build/saved-object.ts';
import { searchPanel } from '../build/text-panels.ts';
import { happenings } from './fleet-happenings.ts';
import { framed, startOf } from './frame.ts';
import { stateWords } from './health-data-view.ts';
import { AGENT_STATES, inState, LOSSES, SERVER } from './health-questions.ts';
import type { Naming } from './naming.ts';

/** States are written every five minutes, unless the collector is told otherwise: the last of them is "now". */
const NOW = '15m';

function figures(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'health', naming.healthViewId);
  const state = (name: string, key: string, title: string, color: string) =>
    metric({
      ...start(name, title),
      color,
      value: lately(NOW, uniqueCount(words.agents, 'agent.id', inState(key))),
    });
  const losses = metric({
    ...start('losses', say('Losses and faults', 'Потери и сбои')),
    description: say('Facts of level error in this period.', 'Факты уровня «ошибка» за период.'),
    value: count(words.starts, LOSSES),
  });
  const lag = metric({
    ...start('lag-now', say('Lag now, 95 of 100', 'Отставание сейчас, 95 из 100')),
    description: say(
      'Age of the oldest event not yet sent.',
      'Возраст старейшего неотправленного.',
    ),
    value: lately(NOW, percentileOf(words.agents, 'launchbeat.health.lag_ms', 95)),
  });
  return {
    height: 7,
    panels: [
      [8, state('healthy', 'healthy', say('Healthy now', 'В порядке сейчас'), '#D5F2E3')],
      [8, state('degraded', 'degraded', say('Degraded now', 'С проблемами сейчас'), '#FFF0C9')],
      [8, state('offline', 'offline', say('Offline now', 'Не на связи сейчас'), '#E3E8F0')],
      [10, losses],
      [14, lag],
    ],
  };
}

/** As Elastic's Fleet colours its agents: what is well is green, whatever Kibana's palette would make of it, and a PC at night is no alarm. */
const STATE_COLORS = { healthy: '#6DCCB1', degraded: '#E7C664', offline: '#98A2B3' } as const;

const agentsIn = ({ say }: Naming, state: keyof typeof STATE_COLORS) =>
  uniqueCount(stateWords(say)[state] ?? state, 'agent.id', `launchbeat.health.state : "${state}"`);

function trends(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'health', naming.healthViewId);
  const states = xy({
    ...start('states', say('Agents by state over time', 'Агенты по состояниям')),
    query: AGENT_STATES,
    series: 'bar_stacked',
    colors: { y: STATE_COLORS.healthy, y2: STATE_COLORS.degraded, y3: STATE_COLORS.offline },
    columns: {
      x: overTime(words.time, 'auto'),
      y: agentsIn(naming, 'healthy'),
      y2: agentsIn(naming, 'degraded'),
      y3: agentsIn(naming, 'offline'),
    },
  });
  const lag = xy({
    ...start('lag', say('Lag over time', 'Отставание по времени')),
    description: say(
      'How long the oldest event of a PC waits for the collector: half of the PCs are below the first line, 95 of 100 below the second.',
      'Сколько старейшее событие ПК ждёт коллектор: у половины ПК меньше первой линии, у 95 из 100 — меньше второй.',
    ),
    query: AGENT_STATES,
    series: 'line',
    columns: {
      x: overTime(words.time, 'auto'),
      y: percentileOf(say('Half of the PCs', 'Половина ПК'), 'launchbeat.health.lag_ms', 50),
      y2: percentileOf(say('95 of 100 PCs', '95 из 100 ПК'), 'launchbeat.health.lag_ms', 95),
    },
  });
  const versions = pie({
    ...start('versions', say('Versions in this period', 'Версии за период')),
    query: AGENT_STATES,
    shape: 'donut',
    columns: {
      version: terms(words.version, 'agent.version', { size: 8, by: 'value' }),
      value: uniqueCount(words.agents, 'agent.id'),
    },
  });
  return {
    height: 13,
    panels: [
      [20, states],
      [17, lag],
      [11, versions],
    ],
  };
}

function agents(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'health', naming.healthViewId);
  const degraded = table({
    ...start('degraded-list', say('Degraded in this period', 'С проблемами за период')),
    description: say(
      'Agents that check in and are not well, with why. The last to be so comes first.',
      'Агенты, которые откликаются, но не в порядке, и почему. Первым — кто был таким последним.',
    ),
    query: inState('degraded'),
    drilldowns: [naming.open('people')],
    columns: {
      pc: terms(words.pc, 'host.name', { size: 100, by: 'last' }),
      reason: lastValue(say('Why', 'Почему'), 'event.reason'),
      lag: maxOf(say('Lag, most', 'Отставание'), 'launchbeat.health.lag_ms'),
      last: lastTime(words.last),
    },
    widths: { pc: 85, lag: 105, last: 170 },
    lines: 2,
  });
  const seen = table({
    ...start('seen', say('Longest without a check-in', 'Дольше всех без отклика')),
    description: say(
      'Every agent by its last check-in. A PC that is switched off at night is silent too.',
      'Все агенты по последнему отклику. Выключенный на ночь ПК тоже молчит.',
    ),
    query: AGENT_STATES,
    drilldowns: [naming.open('people')],
    columns: {
      pc: terms(words.pc, 'host.name', { size: 100, by: 'seen', direction: 'asc' }),
      state: lastValue(words.state, 'launchbeat.health.state'),
      version: lastValue(words.version, 'agent.version'),
      seen: lastCheckIn(naming),
    },
    widths: { state: 115, version: 80, seen: 170 },
  });
  const silent = table({
    ...startOf(naming, 'health')(
      'silent',
      say('Longest without an event', 'Дольше всех без событий'),
    ),
    description: say(
      'From the process starts themselves: a PC that checks in and sends nothing shows here.',
      'По самим запускам: здесь виден ПК, который откликается, но ничего не шлёт.',
    ),
    drilldowns: [naming.open('people')],
    columns: {
      pc: terms(words.pc, 'host.name', { size: 100, by: 'last', direction: 'asc' }),
      starts: count(say('Events', 'События')),
      last: lastTime(words.last),
    },
    widths: { starts: 85, last: 170 },
  });
  return {
    height: 17,
    panels: [
      [19, degraded],
      [16, seen],
      [13, silent],
    ],
  };
}

/** The latest check-in of the documents. */
function lastCheckIn({ say }: Naming) {
  const column = lastTime(say('Last check-in', 'Последний отклик'));
  return (idOf: (key: string) => string) => ({
    ...column(idOf),
    sourceField: 'launchbeat.health.last_seen',
  });
}

function queues(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'health', naming.healthViewId);
  const waiting = xy({
    ...start('queues', say('What waits on the server', 'Что ждёт на сервере')),
    description: say(
      'Chunks of events that Elasticsearch does not have yet, and messages that Telegram does not. Both near zero is well; a line that climbs says that one of them is away.',
      'Порции событий, которых ещё нет в Elasticsearch, и сообщения, которых ещё нет в Telegram. Обе у нуля — хорошо; растущая линия значит, что одно из них недоступно.',
    ),
    query: SERVER,
    series: 'line',
    columns: {
      x: overTime(words.time, 'auto', false),
      y: maxOf(
        say('Chunks for Elasticsearch', 'Порции для Elasticsearch'),
        'launchbeat.health.queue.chunks',
      ),
      y2: maxOf(
        say('Messages for Telegram', 'Сообщения для Telegram'),
        'launchbeat.health.queue.alerts',
      ),
    },
  });
  const spool = table({
    ...start('spool', say('Fullest spools', 'Самые полные буферы')),
    description: say(
      'Largest share of spool.max_bytes in this period that waited for the collector.',
      'Наибольшая за период доля spool.max_bytes, которая ждала коллектор.',
    ),
    query: AGENT_STATES,
    columns: {
      pc: terms(words.pc, 'host.name', { size: 20, by: 'used' }),
      used: maxOf(say('Used, %', 'Занято, %'), 'launchbeat.health.spool.used_percent'),
      bytes: maxOf(
        say('Not sent, at most', 'Не отправлено, макс.'),
        'launchbeat.health.spool.pending_bytes',
      ),
      lag: maxOf(say('Lag, at most', 'Отставание, макс.'), 'launchbeat.health.lag_ms'),
    },
    widths: { used: 90, bytes: 185, lag: 160 },
  });
  return {
    height: 16,
    panels: [
      [26, waiting],
      [22, spool],
    ],
  };
}

export function fleetHealth(naming: Naming): SavedObject {
  const { say, words } = naming;
  const events = searchPanel({
    name: `${naming.dashboardId('health')}/events`,
    title: say('What happened to the agents', 'Что случилось с агентами'),
    searchId: naming.searchId('facts'),
  });
  return framed(naming, {
    key: 'health',
    description: say(
      'Which agents are well and which are silent, their versions and lag, gaps in the log, auditing switched off, cleared logs, misused keys.',
      'Какие агенты в порядке и какие молчат, их версии и отставание, пропуски в журнале, выключенный аудит, очищенные журналы, чужие ключи.',
    ),
    howToRead: say(
      '**How to read it.** The collector writes down the state of every agent each five minutes, and each thing that happens to one once. *Now* is the last 15 minutes of the chosen period. *Degraded*: something was lost in 24 hours, auditing is off, the spool fills, events wait for over 15 minutes or the clock is wrong; the table says which. *Offline*: no check-in for five minutes. Of what happened, an *error* means that something is lost or that a person must act; a *warning* that nothing is lost.\n\nA filter on a person or a program shows nothing here, except in *Longest without an event*: agents have none. Remove it.',
      '**Как читать.** Коллектор записывает состояние каждого агента раз в пять минут, а каждое происшествие — один раз. *Сейчас* — последние 15 минут выбранного периода. *С проблемами*: за сутки что-то потеряно, аудит выключен, буфер заполняется, события ждут больше 15 минут или сбиты часы; что именно — в таблице. *Не на связи*: нет отклика пять минут. *Ошибка* в происшествиях — что-то потеряно или нужно вмешаться; *предупреждение* — потерь нет.\n\nС фильтром по сотруднику или программе здесь пусто, кроме *Дольше всех без событий*: у агентов их нет. Снимите его.',
    ),
    timeFrom: 'now-24h',
    about: {
      dataViewId: naming.healthViewId,
      controls: [
        { field: 'host.name', title: words.pc },
        { field: 'launchbeat.health.state', title: words.state },
        { field: 'agent.version', title: words.version },
        { field: 'launchbeat.health.fact.kind', title: say('What happened', 'Что случилось') },
      ],
    },
    rows: [
      figures(naming),
      trends(naming),
      agents(naming),
      ...happenings(naming),
      queues(naming),
      { height: 16, panels: [[48, events]] },
    ],
  });
}
