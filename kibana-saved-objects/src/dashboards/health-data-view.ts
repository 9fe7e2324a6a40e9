/**
 * Gives the data view of the agents' health: names and formats of its fields as Discover and Lens show them.
 */
import { templateName } from '@launchbeat/ecs-schemas';
import { dataView, type FieldFormat } from '../build/data-view.ts';
import type { Say } from '../build/language.ts';
import type { SavedObject } from '../build/saved-object.ts';
import { linkTo, TIME_PATTERN } from './field-formats.ts';
import type { Naming } from './naming.ts';

const labels = (say: Say): Readonly<Record<string, string>> => ({
  'agent.name': say('Agent', 'Агент'),
  'agent.version': say('Version', 'Версия'),
  'host.name': say('PC', 'ПК'),
  'host.os.full': say('Windows', 'Windows'),
  'event.action': say('What happened', 'Что случилось'),
  'event.reason': say('Why', 'Почему'),
  'event.end': say('Last time', 'Последний раз'),
  'log.level': say('Level', 'Уровень'),
  'launchbeat.health.record': say('Kind of document', 'Вид документа'),
  'launchbeat.health.state': say('State', 'Состояние'),
  'launchbeat.health.reasons': say('Reasons', 'Причины'),
  'launchbeat.health.lag_ms': say('Lag', 'Отставание'),
  'launchbeat.health.silent_ms': say('Silent for', 'Молчит'),
  'launchbeat.health.clock_skew_ms': say('Clock ahead by', 'Часы спешат на'),
  'launchbeat.health.last_seen': say('Last check-in', 'Последний отклик'),
  'launchbeat.health.started': say('Agent started', 'Агент запущен'),
  'launchbeat.health.source': say('Source', 'Источник'),
  'launchbeat.health.spool.pending_bytes': say('Not sent yet', 'Ещё не отправлено'),
  'launchbeat.health.spool.used_percent': say('Spool used, %', 'Буфер занят, %'),
  'launchbeat.health.auditing.process_creation': say('Audits starts', 'Аудит запусков'),
  'launchbeat.health.auditing.command_line': say('Audits command lines', 'Аудит командных строк'),
  'launchbeat.health.counters': say('Counters', 'Счётчики'),
  'launchbeat.health.more': say('More of the check-in', 'Прочее из отклика'),
  'launchbeat.health.fact.kind': say('What happened', 'Что случилось'),
  'launchbeat.health.fact.level': say('Level', 'Уровень'),
  'launchbeat.health.fact.count': say('How often', 'Сколько раз'),
  'launchbeat.health.fact.from': say('From record', 'С записи'),
  'launchbeat.health.fact.to': say('To record', 'По запись'),
  'launchbeat.health.fact.found_by': say('Found by', 'Кто заметил'),
  'launchbeat.health.queue.chunks': say('Chunks for Elasticsearch', 'Порции для Elasticsearch'),
  'launchbeat.health.queue.bytes': say('Bytes for Elasticsearch', 'Байты для Elasticsearch'),
  'launchbeat.health.queue.alerts': say('Messages for Telegram', 'Сообщения для Telegram'),
  'launchbeat.health.queue.dead_letters': say('Never indexed', 'Не проиндексировано'),
});

/** What the kinds of facts are called; a kind that is not here is shown by its own name. */
export const factWords = (say: Say): Readonly<Record<string, string>> => ({
  gap: say('Events missing', 'Пропали события'),
  log_recreated: say('Log recreated', 'Журнал создан заново'),
  log_cleared: say('Log cleared', 'Журнал очищен'),
  restart: say('Reader restarted', 'Чтение перезапущено'),
  reader_warning: say('Warning of the reader', 'Затруднение чтения'),
  quarantine: say('Put into quarantine', 'Отправлено в карантин'),
  torn_line: say('Torn line cut', 'Отрезана оборванная строка'),
  spool_full: say('Spool full', 'Буфер полон'),
  disk_refuses: say('Disk refuses', 'Диск не принимает'),
  conflict: say('Another agent under its id', 'Другой агент под тем же именем'),
  spool_lost: say('Events dropped, spool full', 'События отброшены, буфер полон'),
  facts_dropped: say('Facts dropped', 'Факты отброшены'),
  auditing: say('Auditing changed', 'Изменён аудит'),
  rotation_failed: say('New key not kept', 'Новый ключ не сохранён'),
  audit_policy: say('Audit policy changed', 'Изменена политика аудита'),
  log_service: say('Log service stopped', 'Служба журнала остановлена'),
  log_full: say('Log full', 'Журнал полон'),
  log_archived: say('Log archived', 'Журнал в архиве'),
  events_dropped: say('Windows dropped events', 'Windows отбросила события'),
  clock_set: say('Clock was set', 'Часы переведены'),
  recount: say('Skipped events read again', 'Пропущенное прочитано'),
  process_poll: say('Polling instead of the log', 'Опрос вместо журнала'),
  memory: say('Memory limit reached', 'Предел памяти'),
  moved: say('Agent moved to another PC', 'Агент на другом ПК'),
  cloned: say('Cloned agent', 'Клон агента'),
  renamed: say('PC renamed', 'ПК переименован'),
  clock_skew: say('Clock is wrong', 'Часы сбиты'),
  foreign_agent: say('Key used for another agent', 'Ключ у чужого агента'),
  foreign_host: say('Key used for another PC', 'Ключ у чужого ПК'),
});

export const stateWords = (say: Say): Readonly<Record<string, string>> => ({
  healthy: say('Healthy', 'В порядке'),
  degraded: say('Degraded', 'С проблемами'),
  offline: say('Offline', 'Не на связи'),
  revoked: say('Revoked', 'Отозван'),
});

export const levelWords = (say: Say): Readonly<Record<string, string>> => ({
  error: say('Error', 'Ошибка'),
  warn: say('Warning', 'Предупреждение'),
  info: say('Information', 'Сведения'),
});

function formats(naming: Naming): Readonly<Record<string, FieldFormat>> {
  const { say } = naming;
  const time: FieldFormat = { kind: 'date', pattern: TIME_PATTERN };
  const duration: FieldFormat = { kind: 'duration' };
  const facts: FieldFormat = { kind: 'lookup', words: factWords(say) };
  const levels: FieldFormat = { kind: 'lookup', words: levelWords(say) };
  return {
    '@timestamp': time,
    'event.created': time,
    'event.end': time,
    'launchbeat.health.last_seen': time,
    'launchbeat.health.started': time,
    'host.name': linkTo(naming, 'people', 'host.name'),
    'event.action': facts,
    'launchbeat.health.fact.kind': facts,
    'launchbeat.health.fact.level': levels,
    'log.level': levels,
    'launchbeat.health.state': { kind: 'lookup', words: stateWords(say) },
    'launchbeat.health.lag_ms': duration,
    'launchbeat.health.silent_ms': duration,
    'launchbeat.health.clock_skew_ms': duration,
    'launchbeat.health.spool.pending_bytes': { kind: 'bytes' },
    'launchbeat.health.spool.bytes': { kind: 'bytes' },
    'launchbeat.health.spool.bytes_max': { kind: 'bytes' },
    'launchbeat.health.queue.bytes': { kind: 'bytes' },
    'launchbeat.health.fact.from': { kind: 'number', pattern: '0' },
    'launchbeat.health.fact.to': { kind: 'number', pattern: '0' },
  };
}

export function healthDataView(naming: Naming): SavedObject {
  return dataView({
    id: naming.healthViewId,
    name: naming.say('Launchbeat: fleet health', 'Launchbeat: состояние агентов'),
    title: `${templateName('health')}-*`,
    labels: labels(naming.say),
    formats: formats(naming),
  });
}
