/**
 * Gives the data view that everything stands on: names and formats of our fields as Discover and Lens show them.
 */
import { DATA_STREAM_TYPE, DATASET } from '@launchbeat/ecs-schemas';
import { dataView, type FieldFormat } from '../build/data-view.ts';
import type { Say } from '../build/language.ts';
import type { SavedObject } from '../build/saved-object.ts';
import { linkTo, TIME_PATTERN } from './field-formats.ts';
import { flagWords } from './flag-words.ts';
import type { Naming } from './naming.ts';

/** Index pattern of every namespace. */
export const DATA_VIEW_TITLE = `${DATA_STREAM_TYPE}-${DATASET}-*`;

/** Labels of the fields whose own names say too little; ECS names that analysts know by heart keep theirs. */
const labels = (say: Say): Readonly<Record<string, string>> => ({
  'launchbeat.actor.name': say('Person', 'Сотрудник'),
  'launchbeat.actor.domain': say('Domain of the person', 'Домен сотрудника'),
  'launchbeat.actor.id': say('SID of the person', 'SID сотрудника'),
  'launchbeat.program': say('Watched program', 'Отслеживаемая программа'),
  'launchbeat.launch': say('Kind of start', 'Чей запуск'),
  'launchbeat.pair': say('Parent > child', 'Родитель > потомок'),
  'launchbeat.executable_dir': say('Folder', 'Папка'),
  'launchbeat.command_line_length': say('Command line length', 'Длина командной строки'),
  'launchbeat.redacted': say('Secrets redacted', 'Скрыто секретов'),
  'launchbeat.flags': say('Traits', 'Признаки'),
  'launchbeat.source': say('Source', 'Источник'),
  'winlog.event_data.MandatoryLabel': say('Integrity level', 'Уровень целостности'),
  'winlog.event_data.TokenElevationType': say('Elevation', 'Повышение прав'),
  'winlog.logon.id': say('Logon session', 'Сеанс входа'),
  'user.name': say('Subject account', 'Учётная запись (Subject)'),
  'user.effective.name': say('Target account', 'Учётная запись (Target)'),
  'event.created': say('Read by the agent', 'Прочитано агентом'),
});

/** Integrity levels: Microsoft, "Well-known SIDs", S-1-16. Elevation types: TOKEN_ELEVATION_TYPE in winnt.h. */
const formats = (naming: Naming): Readonly<Record<string, FieldFormat>> => ({
  ...wordFormats(naming.say),
  // A person or a PC in a table leads to what they did.
  'launchbeat.actor.name': linkTo(naming, 'people', 'launchbeat.actor.name'),
  'host.name': linkTo(naming, 'people', 'host.name'),
  // Kibana's own format has milliseconds and the month's name: too wide for tables with two times.
  '@timestamp': { kind: 'date', pattern: TIME_PATTERN },
  'event.created': { kind: 'date', pattern: TIME_PATTERN },
  'launchbeat.command_line_length': { kind: 'number', pattern: '0,0' },
  'launchbeat.redacted': { kind: 'number', pattern: '0,0' },
  'process.args_count': { kind: 'number', pattern: '0,0' },
  // A process or record number with thousands' commas cannot be searched for.
  'process.pid': { kind: 'number', pattern: '0' },
  'process.parent.pid': { kind: 'number', pattern: '0' },
  'event.sequence': { kind: 'number', pattern: '0' },
  'winlog.version': { kind: 'number', pattern: '0' },
});

/** Words for values. */
const wordFormats = (say: Say): Readonly<Record<string, FieldFormat>> => ({
  'winlog.event_data.MandatoryLabel': {
    kind: 'lookup',
    words: {
      'S-1-16-0': say('Untrusted', 'Недоверенный'),
      'S-1-16-4096': say('Low', 'Низкий'),
      'S-1-16-8192': say('Medium', 'Средний'),
      'S-1-16-8448': say('Medium plus', 'Средний+'),
      'S-1-16-12288': say('High', 'Высокий'),
      'S-1-16-16384': say('System', 'Системный'),
      'S-1-16-20480': say('Protected', 'Защищённый'),
      'S-1-16-28672': say('Secure', 'Доверенный'),
    },
  },
  'winlog.event_data.TokenElevationType': {
    kind: 'lookup',
    words: {
      '%%1936': say('Default', 'Обычный токен'),
      '%%1937': say('Elevated', 'Повышенные права'),
      '%%1938': say('Limited', 'Ограниченный токен'),
      'TokenElevationTypeDefault (1)': say('Default', 'Обычный токен'),
      'TokenElevationTypeFull (2)': say('Elevated', 'Повышенные права'),
      'TokenElevationTypeLimited (3)': say('Limited', 'Ограниченный токен'),
    },
  },
  'launchbeat.flags': { kind: 'lookup', words: flagWords(say) },
  'launchbeat.launch': {
    kind: 'lookup',
    words: {
      true: say('A person', 'Сотрудник'),
      false: say('Helper or system', 'Служебный процесс или система'),
    },
  },
});

export function eventsDataView(naming: Naming): SavedObject {
  return dataView({
    id: naming.dataViewId,
    name: naming.say('Launchbeat: process starts', 'Launchbeat: запуски процессов'),
    title: DATA_VIEW_TITLE,
    labels: labels(naming.say),
    formats: formats(naming),
  });
}
