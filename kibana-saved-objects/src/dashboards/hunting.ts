/**
 * Gives the dashboard "Hunting": starts that deserve a look, before any rule has fired.
 */
import {
  byQuery,
  count,
  firstTime,
  lastTime,
  lastValue,
  overTime,
  rareTerms,
  sum,
  terms,
  uniqueCount,
} from '../build/columns.ts';
import type { Row } from '../build/dashboard.ts';
import { metric, table, xy } from '../build/lens.ts';
import type { SavedObject } from '../build/saved-object.ts';
import { searchPanel } from '../build/text-panels.ts';
import { flagWords } from './flag-words.ts';
import { framed, startOf } from './frame.ts';
import { borrowed, commandLines } from './hunting-programs.ts';
import type { Naming } from './naming.ts';
import { BY_PEOPLE, flagged, HIGH_INTEGRITY, LEADS, SYSTEM_ACCOUNT } from './questions.ts';

const RARE_TIMES_MAX = 3;

function figures(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'hunting');
  const figure = (name: string, title: string, query: string) =>
    metric({ ...start(name, title), value: count(words.starts, query) });
  const flags = flagWords(say);
  const secrets = metric({
    ...start('secrets', say('Secrets redacted', 'Скрыто секретов')),
    description: say(
      'Passwords, keys and tokens that stood on command lines.',
      'Пароли, ключи и токены из командных строк.',
    ),
    value: sum(say('Secrets', 'Секреты'), 'launchbeat.redacted'),
  });
  return {
    height: 6,
    panels: [
      [8, figure('encoded', flags.encoded_powershell, flagged('encoded_powershell'))],
      [8, figure('lolbins', flags.lolbin, flagged('lolbin'))],
      [
        8,
        figure(
          'elevated',
          say('Elevated by people', 'Повышения прав'),
          `${BY_PEOPLE} and ${flagged('elevated')}`,
        ),
      ],
      [8, figure('long', flags.long_cmdline, flagged('long_cmdline'))],
      [8, figure('system', say('By system accounts', 'От имени системы'), SYSTEM_ACCOUNT)],
      [8, secrets],
    ],
  };
}

function leads(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'hunting');
  const flags = flagWords(say);
  const queries = LEADS.map(({ flag, query }) => ({ label: flags[flag], query }));
  const trend = xy({
    ...start('leads-over-time', say('Leads over time', 'Зацепки по времени')),
    description: say(
      'A start with several traits counts once for each. Watched programs are left out where a trait is their everyday: in writable folders, started by Office.',
      'Запуск с несколькими признаками считается по разу на каждый. Отслеживаемых программ нет там, где признак для них обычен: в папках, открытых на запись, и среди потомков Office.',
    ),
    series: 'bar_stacked',
    columns: {
      split: byQuery(say('Lead', 'Зацепка'), queries),
      x: overTime(words.time, 'auto'),
      y: count(words.starts),
    },
  });
  const byPc = xy({
    ...start('leads-by-pc', say('PCs with most leads', 'ПК, где зацепок больше всего')),
    query: LEADS.map(({ query }) => `(${query})`).join(' or '),
    series: 'bar_horizontal_stacked',
    drilldowns: [naming.open('people')],
    columns: {
      x: terms(words.pc, 'host.name', { size: 15, by: 'y' }),
      split: byQuery(say('Lead', 'Зацепка'), queries),
      y: count(words.starts),
    },
  });
  return {
    height: 14,
    panels: [
      [26, trend],
      [22, byPc],
    ],
  };
}

function rarities(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'hunting');
  const options = {
    sort: { by: 'last', direction: 'desc' },
    lines: 2,
    description: say(
      `At most ${RARE_TIMES_MAX} starts in the period on all PCs together.`,
      `Не больше ${RARE_TIMES_MAX} запусков за период на всех ПК вместе.`,
    ),
  } as const;
  const executables = table({
    ...start('rare-executables', say('Rare executables', 'Редкие исполняемые файлы')),
    ...options,
    drilldowns: [naming.open('trees')],
    columns: {
      executable: rareTerms(words.executable, 'process.executable', RARE_TIMES_MAX),
      starts: count(words.starts),
      pcs: uniqueCount(words.pcs, 'host.name'),
      person: lastValue(words.lastPerson, 'launchbeat.actor.name'),
      first: firstTime(words.first),
      last: lastTime(words.last),
    },
    // What is left is the path's: its end is what matters.
    widths: { starts: 80, pcs: 55, person: 125, first: 170, last: 170 },
  });
  const folders = table({
    ...start('rare-folders', say('Rare folders', 'Редкие папки')),
    ...options,
    drilldowns: [naming.open('trees')],
    columns: {
      folder: rareTerms(words.folder, 'launchbeat.executable_dir', RARE_TIMES_MAX),
      starts: count(words.starts),
      pc: lastValue(words.lastPc, 'host.name'),
      last: lastTime(words.last),
    },
    widths: { starts: 80, pc: 90, last: 170 },
  });
  return {
    height: 19,
    panels: [
      [29, executables],
      [19, folders],
    ],
  };
}

function rights(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'hunting');
  const elevated = table({
    ...start('elevated-list', say('Elevated starts by people', 'Повышение прав сотрудниками')),
    query: `${BY_PEOPLE} and (${flagged('elevated')} or ${HIGH_INTEGRITY})`,
    drilldowns: [naming.open('people')],
    columns: {
      person: terms(words.person, 'launchbeat.actor.name', { size: 50, by: 'starts' }),
      file: terms(words.file, 'process.name', { size: 5, by: 'starts' }),
      starts: count(words.starts),
      pcs: uniqueCount(words.pcs, 'host.name'),
      last: lastTime(words.last),
    },
    widths: { starts: 80, pcs: 70, last: 170 },
  });
  const system = table({
    ...start(
      'system-list',
      say('Starts by system accounts', 'Запуски от системных учётных записей'),
    ),
    description: say(
      'What the system starts on the fewest PCs comes first: what all PCs have is its habit, what one has is out of pattern. Empty unless the agents send it (exclude.system_accounts: false).',
      'Сверху — то, что система запускает на наименьшем числе ПК: общее для всех ПК — её обычай, а единичное выбивается. Пусто, пока агенты этого не отправляют (exclude.system_accounts: false).',
    ),
    query: SYSTEM_ACCOUNT,
    drilldowns: [naming.open('trees')],
    columns: {
      file: terms(words.file, 'process.name', { size: 50, by: 'pcs', direction: 'asc' }),
      pcs: uniqueCount(words.pcs, 'host.name'),
      starts: count(words.starts),
      parent: lastValue(say('Last parent', 'Последний родитель'), 'process.parent.name'),
      last: lastTime(words.last),
    },
    sort: { by: 'pcs', direction: 'asc' },
    widths: { starts: 80, pcs: 70, last: 170 },
  });
  return {
    height: 17,
    panels: [
      [24, elevated],
      [24, system],
    ],
  };
}

export function hunting(naming: Naming): SavedObject {
  const { say } = naming;
  const powershell = searchPanel({
    name: `${naming.dashboardId('hunting')}/powershell`,
    title: say('Suspicious PowerShell', 'Подозрительный PowerShell'),
    searchId: naming.searchId('powershell'),
  });
  return framed(naming, {
    key: 'hunting',
    description: say(
      'Starts that deserve a look: rare executables and folders, borrowed Windows programs, encoded commands, elevation, system accounts, long command lines.',
      'Запуски, достойные внимания: редкие файлы и папки, штатные программы в чужих руках, закодированные команды, повышение прав, системные записи, длинные строки.',
    ),
    howToRead: say(
      "**How to read it.** Nothing here is an alert: each panel is a place to begin. Choose a long period for what is rare, a short one for what is new. Traits are `launchbeat.flags`, set by the agent; command lines are here only where the audit policy logs them (*Include command line in process creation events*).\n\n**What it needs.** `select: all` in the agents' launchbeat.yml, and `exclude.system_accounts: false` for the system's own starts.",
      '**Как читать.** Здесь нет тревог: каждая панель — место, с которого начать. Для редкого выбирайте длинный период, для нового — короткий. Признаки (`launchbeat.flags`) ставит агент; командные строки есть, только если их записывает политика аудита (*включать командную строку в события создания процессов*).\n\n**Что нужно.** `select: all` в launchbeat.yml агентов, а для запусков системы — `exclude.system_accounts: false`.',
    ),
    timeFrom: 'now-7d/d',
    rows: [
      figures(naming),
      leads(naming),
      rarities(naming),
      borrowed(naming),
      { height: 10, panels: [[48, powershell]] },
      rights(naming),
      commandLines(naming),
    ],
  });
}
