/**
 * Gives the saved searches: the same questions as the panels', down to the single event.
 */
import type { SavedObject } from '../build/saved-object.ts';
import { type SavedSearchParts, savedSearch } from '../build/saved-search.ts';
import { AGENT_STATES, FACTS, RAISED } from './health-questions.ts';
import type { Naming, SearchKey } from './naming.ts';
import { flagged, REDACTED, SUSPICIOUS_POWERSHELL, WATCHED_LAUNCH } from './questions.ts';

type Columns = SavedSearchParts['columns'];

const WHO_AND_WHERE: Columns = [
  ['launchbeat.actor.name', 130],
  ['host.name', 120],
];
const COMMAND: Columns = [
  ['process.name', 150],
  ['process.command_line', undefined],
];

interface Search {
  readonly key: SearchKey;
  readonly title: string;
  readonly description: string;
  readonly query: string;
  readonly columns: Columns;
  /** Default: the process starts. */
  readonly dataViewId?: string;
}

function everydaySearches({ say }: Naming): readonly Search[] {
  return [
    {
      key: 'starts',
      title: say('Process starts', 'Запуски процессов'),
      description: say(
        'Every recorded start of a process, newest first.',
        'Все записанные запуски процессов, сначала новые.',
      ),
      query: '',
      columns: [...WHO_AND_WHERE, ['process.parent.name', 150], ...COMMAND],
    },
    {
      key: 'launches',
      title: say('Launches of watched programs', 'Запуски отслеживаемых программ'),
      description: say(
        'Which person started which watched program on which PC; no helper processes.',
        'Кто какую отслеживаемую программу на каком ПК запустил; без служебных процессов.',
      ),
      query: WATCHED_LAUNCH,
      // Narrow ones: on a dashboard it has half of the width, and a path needs most of it.
      columns: [
        ['launchbeat.actor.name', 110],
        ['host.name', 85],
        ['launchbeat.program', 125],
        ['process.executable', undefined],
      ],
    },
    {
      key: 'parents',
      title: say('Parents and children', 'Родители и потомки'),
      description: say(
        'Starts with both process ids, to follow a tree: filter on the PC and on process.parent.pid.',
        'Запуски с номерами обоих процессов. Чтобы пройти по дереву, отфильтруйте по ПК и process.parent.pid.',
      ),
      query: '',
      columns: [
        ...WHO_AND_WHERE,
        ['process.parent.executable', 300],
        ['process.parent.pid', 110],
        ['process.pid', 90],
        ...COMMAND,
      ],
    },
    {
      key: 'redacted',
      title: say('Secrets on command lines', 'Секреты в командных строках'),
      description: say(
        'Starts whose command line held a password, key or token. The value is redacted here; on the PC it was visible to any program, so change it.',
        'Запуски, в командной строке которых был пароль, ключ или токен. Здесь значение скрыто, но на ПК его видела любая программа: смените его.',
      ),
      query: REDACTED,
      columns: [...WHO_AND_WHERE, ['launchbeat.redacted', 110], ...COMMAND],
    },
  ];
}

function huntingSearches({ say }: Naming): readonly Search[] {
  return [
    {
      key: 'powershell',
      title: say('Suspicious PowerShell', 'Подозрительный PowerShell'),
      description: say(
        'PowerShell with an encoded command, a hidden window, a bypassed policy or code from the network.',
        'PowerShell с закодированной командой, скрытым окном, обходом политики или кодом из сети.',
      ),
      query: SUSPICIOUS_POWERSHELL,
      columns: [...WHO_AND_WHERE, ['process.parent.name', 150], ...COMMAND],
    },
    {
      key: 'lolbins',
      title: say('Living off the land', 'Штатные программы Windows'),
      description: say(
        'Starts of Windows programs that attackers borrow, with what called them and how.',
        'Запуски программ Windows, которыми пользуются злоумышленники: кем и с чем вызваны.',
      ),
      query: flagged('lolbin'),
      columns: [...WHO_AND_WHERE, ['process.parent.name', 150], ...COMMAND],
    },
    {
      key: 'elevated',
      title: say('Elevated starts', 'Запуски с повышенными правами'),
      description: say(
        'Starts with a full administrator token ("Run as administrator").',
        'Запуски с полным токеном администратора («Запуск от имени администратора»).',
      ),
      query: flagged('elevated'),
      columns: [
        ...WHO_AND_WHERE,
        ['winlog.event_data.MandatoryLabel', 130],
        ['process.parent.name', 150],
        ...COMMAND,
      ],
    },
    {
      key: 'writable',
      title: say('Started from writable folders', 'Запуски из папок, открытых на запись'),
      description: say(
        'Programs in folders that need no administrator to write to: profiles, temporary files, ProgramData.',
        'Программы из папок, куда можно писать без прав администратора: профили, временные файлы, ProgramData.',
      ),
      query: flagged('user_writable_path'),
      columns: [...WHO_AND_WHERE, ['process.parent.name', 150], ['process.executable', undefined]],
    },
    {
      key: 'long',
      title: say('Long command lines', 'Длинные командные строки'),
      description: say(
        'Command lines of more than 1,000 characters: encoded payloads, long lists of arguments.',
        'Командные строки длиннее 1000 знаков: закодированное содержимое, длинные списки аргументов.',
      ),
      query: flagged('long_cmdline'),
      columns: [...WHO_AND_WHERE, ['launchbeat.command_line_length', 110], ...COMMAND],
    },
  ];
}

function fleetSearches({ say, healthViewId, alertsViewId }: Naming): readonly Search[] {
  return [
    {
      key: 'alerts',
      title: say('Alerts raised', 'Сработавшие оповещения'),
      description: say(
        'Each start that a rule of alerts.yml found, once for each chat that hears the rule.',
        'Каждый запуск, найденный правилом из alerts.yml, по разу на каждый чат, который слушает правило.',
      ),
      query: RAISED,
      dataViewId: alertsViewId,
      columns: [
        ['launchbeat.alert.severity', 100],
        ['rule.id', 190],
        ...WHO_AND_WHERE,
        ['launchbeat.alert.chat.name', 90],
        ...COMMAND,
        ['launchbeat.alert.event_id', 190],
      ],
    },
    {
      key: 'fates',
      title: say('What became of alerts', 'Что стало с оповещениями'),
      description: say(
        'Everything that happened to alerts: sent, suppressed, folded, held, listed, refused, acknowledged.',
        'Всё, что происходило с оповещениями: отправлены, подавлены, свёрнуты, отложены, в списке, отказ, приняты.',
      ),
      query: 'not launchbeat.alert.fate : "raised"',
      dataViewId: alertsViewId,
      columns: [
        ['launchbeat.alert.fate', 200],
        ['rule.id', 190],
        ['launchbeat.alert.chat.name', 90],
        ...WHO_AND_WHERE,
        ['process.name', 150],
        ['launchbeat.alert.after_ms', 120],
        ['event.reason', undefined],
      ],
    },
    {
      key: 'facts',
      title: say('What happened to the agents', 'Что случилось с агентами'),
      description: say(
        'Gaps, cleared logs, restarts, full disks, clones and whatever else agents and collector noticed, each once.',
        'Пропуски, очищенные журналы, перезапуски, полные диски, клоны и всё, что заметили агенты и коллектор, по одному разу.',
      ),
      query: FACTS,
      dataViewId: healthViewId,
      columns: [
        ['host.name', 110],
        ['launchbeat.health.fact.level', 200],
        ['launchbeat.health.fact.kind', 200],
        ['launchbeat.health.fact.count', 90],
        ['launchbeat.health.fact.from', 110],
        ['launchbeat.health.fact.to', 110],
        ['event.reason', undefined],
      ],
    },
    {
      key: 'states',
      title: say('States of agents', 'Состояния агентов'),
      description: say(
        'The state of each agent every few minutes, with version, lag and what it counted.',
        'Состояние каждого агента раз в несколько минут: версия, отставание, счётчики.',
      ),
      query: AGENT_STATES,
      dataViewId: healthViewId,
      columns: [
        ['host.name', 110],
        ['launchbeat.health.state', 120],
        ['agent.version', 90],
        ['launchbeat.health.lag_ms', 110],
        ['launchbeat.health.spool.pending_bytes', 130],
        ['launchbeat.health.last_seen', 160],
        ['event.reason', undefined],
      ],
    },
  ];
}

export function savedSearches(naming: Naming): SavedObject[] {
  return [...everydaySearches(naming), ...huntingSearches(naming), ...fleetSearches(naming)].map(
    (search) =>
      savedSearch({
        id: naming.searchId(search.key),
        title: `[Launchbeat] ${search.title}`,
        description: search.description,
        dataViewId: search.dataViewId ?? naming.dataViewId,
        tagId: naming.tagId,
        query: search.query,
        columns: search.columns,
      }),
  );
}
