/**
 * Gives the data view of alerts: names and formats of its fields as Discover and Lens show them.
 */
import { templateName } from '@launchbeat/ecs-schemas';
import { dataView, type FieldFormat } from '../build/data-view.ts';
import type { Say } from '../build/language.ts';
import type { SavedObject } from '../build/saved-object.ts';
import { linkTo, linkToStart, TIME_PATTERN } from './field-formats.ts';
import { flagWords } from './flag-words.ts';
import type { Naming } from './naming.ts';

const labels = (say: Say): Readonly<Record<string, string>> => ({
  'event.action': say('What happened', 'Что произошло'),
  'event.start': say('Process started', 'Процесс запущен'),
  'event.created': say('Alert raised', 'Правило сработало'),
  'event.severity': say('Score', 'Оценка'),
  'event.reason': say('Why refused', 'Причина отказа'),
  'rule.id': say('Rule', 'Правило'),
  'rule.name': say('What the rule is for', 'О чём правило'),
  'host.name': say('PC', 'ПК'),
  'process.name': say('File name', 'Имя файла'),
  'threat.technique.id': say('ATT&CK technique', 'Техника ATT&CK'),
  'threat.tactic.id': say('ATT&CK tactic', 'Тактика ATT&CK'),
  'launchbeat.actor.name': say('Person', 'Сотрудник'),
  'launchbeat.actor.domain': say('Domain of the person', 'Домен сотрудника'),
  'launchbeat.program': say('Watched program', 'Отслеживаемая программа'),
  'launchbeat.flags': say('Traits', 'Признаки'),
  'launchbeat.alert.fate': say('Fate', 'Судьба'),
  'launchbeat.alert.severity': say('Severity', 'Важность'),
  'launchbeat.alert.chat.name': say('Chat', 'Чат'),
  'launchbeat.alert.chat.id': say('Chat id', 'Номер чата'),
  'launchbeat.alert.event_id': say('Process start', 'Запуск процесса'),
  'launchbeat.alert.after_ms': say('After the start', 'После запуска'),
  'launchbeat.alert.count': say('Events counted', 'Событий посчитано'),
  'launchbeat.alert.key': say('Counted by', 'Посчитано по'),
  'launchbeat.alert.labels': say('Labels', 'Метки'),
  'launchbeat.alert.attempts': say('Attempts', 'Попытки'),
  'launchbeat.alert.acknowledged_by': say('Acknowledged by', 'Кто принял'),
});

/** What became of an alert, in words. */
export const fateWords = (say: Say): Readonly<Record<string, string>> => ({
  raised: say('Raised', 'Сработало'),
  sent: say('Sent', 'Отправлено'),
  suppressed: say('Suppressed', 'Подавлено'),
  folded: say('Folded (late)', 'Свёрнуто (поздно)'),
  held: say('Held (quiet hours)', 'Отложено (тихо)'),
  muted: say('Muted', 'Заглушено'),
  stormed: say('Listed (storm)', 'В списке (шквал)'),
  failed: say('Refused', 'Отказ чата'),
  acknowledged: say('Acknowledged', 'Принято'),
});

export const severityWords = (say: Say): Readonly<Record<string, string>> => ({
  low: say('Low', 'Низкая'),
  medium: say('Medium', 'Средняя'),
  high: say('High', 'Высокая'),
  critical: say('Critical', 'Критическая'),
});

function formats(naming: Naming): Readonly<Record<string, FieldFormat>> {
  const { say } = naming;
  const time: FieldFormat = { kind: 'date', pattern: TIME_PATTERN };
  return {
    '@timestamp': time,
    'event.start': time,
    'event.created': time,
    'event.severity': { kind: 'number', pattern: '0' },
    'process.pid': { kind: 'number', pattern: '0' },
    'host.name': linkTo(naming, 'people', 'host.name'),
    'launchbeat.actor.name': linkTo(naming, 'people', 'launchbeat.actor.name'),
    'launchbeat.alert.event_id': linkToStart(naming, 'event.id'),
    'threat.technique.id': {
      kind: 'url',
      template: 'https://attack.mitre.org/techniques/{{value}}/',
    },
    'threat.tactic.id': { kind: 'url', template: 'https://attack.mitre.org/tactics/{{value}}/' },
    'launchbeat.alert.fate': { kind: 'lookup', words: fateWords(say) },
    'launchbeat.alert.severity': { kind: 'lookup', words: severityWords(say) },
    'launchbeat.flags': { kind: 'lookup', words: flagWords(say) },
    'launchbeat.alert.after_ms': { kind: 'duration' },
  };
}

export function alertsDataView(naming: Naming): SavedObject {
  return dataView({
    id: naming.alertsViewId,
    name: naming.say('Launchbeat: alerts', 'Launchbeat: оповещения'),
    title: `${templateName('alerts')}-*`,
    labels: labels(naming.say),
    formats: formats(naming),
  });
}
