/**
 * Gives the dashboard "Alerts": what fired, for whom, and what became of it, by rule and chat.
 */
import { count, lastTime, lastValue, percentileOf, terms, uniqueCount } from '../build/columns.ts';
import type { Row } from '../build/dashboard.ts';
import { metric, table, xy } from '../build/lens.ts';
import type { SavedObject } from '../build/saved-object.ts';
import { searchPanel } from '../build/text-panels.ts';
import { alertTrends } from './alert-trends.ts';
import { framed, startOf } from './frame.ts';
import { COUNTED, fate, RAISED } from './health-questions.ts';
import type { Naming } from './naming.ts';

function figures(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'alerts', naming.alertsViewId);
  const figure = (name: string, title: string, query: string, description?: string) =>
    metric({
      ...start(name, title),
      ...(description === undefined ? {} : { description }),
      value: count(words.alerts, query),
    });
  const delay = metric({
    ...start('delay', say('From start to chat', 'От запуска до чата')),
    description: say('95 of 100 messages were quicker.', '95 из 100 сообщений — быстрее.'),
    query: fate('sent'),
    value: percentileOf(words.alerts, 'launchbeat.alert.after_ms', 95),
  });
  return {
    height: 7,
    panels: [
      [8, figure('raised', say('Raised', 'Сработало'), RAISED)],
      [8, figure('sent', say('Sent on their own', 'Отправлено отдельно'), fate('sent'))],
      [
        10,
        figure(
          'counted',
          say('Told in a summary', 'Сообщено в сводках'),
          COUNTED,
          say('Suppressed, held, muted and so on.', 'Подавлены, отложены и т. п.'),
        ),
      ],
      [8, figure('failed', say('Refused by a chat', 'Чат не принял'), fate('failed'))],
      [6, figure('acknowledged', say('Acknowledged', 'Принято'), fate('acknowledged'))],
      [8, delay],
    ],
  };
}

/** What became of the alerts of each rule, of each chat. */
function fates(naming: Naming) {
  const { say } = naming;
  return {
    raised: count(say('Raised', 'Сраб.'), RAISED),
    sent: count(say('Sent', 'Отпр.'), fate('sent')),
    suppressed: count(say('Suppressed', 'Подавл.'), fate('suppressed')),
    folded: count(say('Folded', 'Свёрн.'), fate('folded')),
    held: count(say('Held', 'Отлож.'), fate('held')),
    stormed: count(say('Storm', 'Шквал'), fate('stormed')),
    muted: count(say('Muted', 'Заглуш.'), fate('muted')),
    failed: count(say('Refused', 'Отказ'), fate('failed')),
  };
}

const FATE_WIDTHS = {
  ...{
    raised: 75,
    sent: 65,
    suppressed: 105,
    folded: 78,
    held: 75,
    stormed: 75,
    muted: 82,
    failed: 80,
  },
  ...{ starts: 85, last: 175 },
};

function byRule(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'alerts', naming.alertsViewId);
  const rules = table({
    ...start('rules', say('By rule', 'По правилам')),
    description: say(
      'A rule with many starts and few messages is well suppressed; one that is refused by a chat is heard by nobody.',
      'Много запусков и мало сообщений — правило хорошо подавляется; отказ чата — правила никто не слышит.',
    ),
    columns: {
      rule: terms(words.rule, 'rule.id', { size: 100, by: 'starts' }),
      name: lastValue(say('What it is for', 'О чём оно'), 'rule.name'),
      starts: uniqueCount(words.starts, 'launchbeat.alert.event_id'),
      ...fates(naming),
      last: lastTime(words.last),
    },
    widths: { rule: 170, ...FATE_WIDTHS },
  });
  return { height: 14, panels: [[48, rules]] };
}

function byChat(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'alerts', naming.alertsViewId);
  const chats = table({
    ...start('chats', say('By chat', 'По чатам')),
    columns: {
      chat: terms(words.chat, 'launchbeat.alert.chat.name', { size: 50, by: 'starts' }),
      starts: uniqueCount(words.starts, 'launchbeat.alert.event_id'),
      ...fates(naming),
    },
    widths: FATE_WIDTHS,
  });
  const refused = table({
    ...start('refused', say('Refused by the chat', 'Чат не принял')),
    description: say(
      'Nobody heard of these. Mend the chat.',
      'Об этих никто не узнал. Почините чат.',
    ),
    query: fate('failed'),
    columns: {
      chat: terms(words.chat, 'launchbeat.alert.chat.name', { size: 20, by: 'alerts' }),
      alerts: count(words.alerts),
      reason: lastValue(say('Why', 'Почему'), 'event.reason'),
      last: lastTime(words.last),
    },
    widths: { chat: 90, alerts: 110, last: 175 },
    lines: 2,
  });
  return {
    height: 11,
    panels: [
      [29, chats],
      [19, refused],
    ],
  };
}

function whoAndWhere(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'alerts', naming.alertsViewId);
  const bars = (name: string, title: string, field: string, label: string) =>
    xy({
      ...start(name, title),
      query: RAISED,
      series: 'bar_horizontal',
      drilldowns: [naming.open('people'), naming.open('hunting')],
      columns: {
        x: terms(label, field, { size: 10, by: 'y' }),
        y: uniqueCount(words.starts, 'launchbeat.alert.event_id'),
      },
    });
  return {
    height: 12,
    panels: [
      [12, bars('people', say('Who', 'Кто'), 'launchbeat.actor.name', words.person)],
      [12, bars('pcs', say('Where', 'Где'), 'host.name', words.pc)],
      [12, bars('files', say('What', 'Что'), 'process.name', words.file)],
      [
        12,
        bars('attack', say('ATT&CK techniques', 'Техники ATT&CK'), 'threat.technique.id', 'ATT&CK'),
      ],
    ],
  };
}

function suppressedMost(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'alerts', naming.alertsViewId);
  const suppressed = table({
    ...start(
      'suppressed',
      say('Not sent on their own, most often', 'Чаще всего не отправлялось отдельно'),
    ),
    description: say(
      'What a chat would have heard again and again: a habit, an exclusion to write, or somebody who tries and tries.',
      'О чём чат слышал бы снова и снова: привычка, недостающее исключение или упорные попытки.',
    ),
    query: COUNTED,
    drilldowns: [naming.open('people')],
    columns: {
      who: terms(say('Rule, person, file', 'Правило, сотрудник, файл'), 'rule.id', {
        size: 30,
        by: 'alerts',
        and: ['launchbeat.actor.name', 'process.name'],
      }),
      alerts: count(words.alerts),
      suppressed: count(say('Suppressed', 'Подавл.'), fate('suppressed')),
      folded: count(say('Folded', 'Свёрн.'), fate('folded')),
      held: count(say('Held', 'Отлож.'), fate('held')),
      stormed: count(say('Storm', 'Шквал'), fate('stormed')),
      muted: count(say('Muted', 'Заглуш.'), fate('muted')),
      pc: lastValue(words.lastPc, 'host.name'),
      last: lastTime(words.last),
    },
    sort: { by: 'alerts', direction: 'desc' },
    widths: { ...FATE_WIDTHS, alerts: 120, pc: 110 },
  });
  return { height: 16, panels: [[48, suppressed]] };
}

export function alerts(naming: Naming): SavedObject {
  const { say, words } = naming;
  const panel = searchPanel({
    name: `${naming.dashboardId('alerts')}/events`,
    title: say('Newest alerts', 'Последние оповещения'),
    searchId: naming.searchId('alerts'),
  });
  return framed(naming, {
    key: 'alerts',
    description: say(
      'What the rules of alerts.yml found, for whom and where; what was sent and what was suppressed, by rule and chat.',
      'Что нашли правила из alerts.yml, у кого и где; что отправлено, а что подавлено, по правилам и чатам.',
    ),
    howToRead: say(
      '**How to read it.** A start that a rule finds raises one alert for each chat that hears the rule; *Starts* counts it once. Each alert is then either sent by itself, or counted in a message that tells of several: *suppressed* (the same was told shortly before), *folded* (it came late), *held* (quiet hours), *listed* (a storm), *muted* (somebody in the chat asked for quiet). Raised less all of these still wait. The link in *Process start* opens the event itself.\n\nThese are the rules of the collector, not those of Elastic Security: their alerts are under Security > Alerts.',
      '**Как читать.** Запуск, найденный правилом, даёт по оповещению на каждый чат, который слушает правило; *Запуски* считают его один раз. Оповещение либо отправлено отдельно, либо посчитано в сводке: *подавлено* (о том же недавно сообщали), *свёрнуто* (пришло поздно), *отложено* (тихие часы), *в списке* (шквал), *заглушено* (кто-то в чате попросил тишины). Сработавшие за вычетом всех этих ещё ждут. Ссылка в поле *Запуск процесса* открывает само событие.\n\nЭто правила коллектора, а не Elastic Security: те — в Security > Alerts.',
    ),
    timeFrom: 'now-7d/d',
    about: {
      dataViewId: naming.alertsViewId,
      controls: [
        { field: 'rule.id', title: words.rule },
        { field: 'launchbeat.alert.chat.name', title: words.chat },
        { field: 'launchbeat.alert.severity', title: say('Severity', 'Важность') },
        { field: 'launchbeat.actor.name', title: words.person },
        { field: 'host.name', title: words.pc },
      ],
    },
    rows: [
      figures(naming),
      alertTrends(naming),
      byRule(naming),
      byChat(naming),
      whoAndWhere(naming),
      suppressedMost(naming),
      { height: 16, panels: [[48, panel]] },
    ],
  });
}
