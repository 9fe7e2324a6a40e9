/**
 * Takes a language, gives the ids, titles and recurring words that all our objects share.
 * Keeps: ids never change once shipped, since an import with "overwrite" finds its objects by them.
 */
import { idIn, type Language, type Say, sayIn } from '../build/language.ts';
import type { Drilldown } from '../build/panel.ts';
import type { LinkTarget } from '../build/text-panels.ts';

export type DashboardKey =
  | 'overview'
  | 'watched'
  | 'people'
  | 'trees'
  | 'hunting'
  | 'alerts'
  | 'health';

/** The dashboards in the order of their link bar. */
export const DASHBOARD_KEYS: readonly DashboardKey[] = [
  'overview',
  'watched',
  'people',
  'trees',
  'hunting',
  'alerts',
  'health',
];

export type SearchKey =
  | 'starts'
  | 'launches'
  | 'parents'
  | 'powershell'
  | 'lolbins'
  | 'elevated'
  | 'writable'
  | 'long'
  | 'redacted'
  | 'alerts'
  | 'fates'
  | 'facts'
  | 'states';

/** Words that stand in many panels. */
export interface Words {
  readonly time: string;
  readonly person: string;
  readonly domain: string;
  readonly pc: string;
  readonly program: string;
  readonly executable: string;
  readonly file: string;
  readonly folder: string;
  readonly parent: string;
  readonly people: string;
  readonly pcs: string;
  readonly programs: string;
  readonly executables: string;
  readonly starts: string;
  readonly launches: string;
  readonly first: string;
  readonly last: string;
  readonly lastPerson: string;
  readonly lastPc: string;
  readonly agent: string;
  readonly agents: string;
  readonly version: string;
  readonly state: string;
  readonly rule: string;
  readonly chat: string;
  readonly alerts: string;
}

export interface Naming {
  readonly say: Say;
  readonly words: Words;
  /** Of the process starts. */
  readonly dataViewId: string;
  readonly healthViewId: string;
  readonly alertsViewId: string;
  readonly tagId: string;
  readonly dashboardId: (key: DashboardKey) => string;
  readonly dashboardTitle: (key: DashboardKey) => string;
  readonly searchId: (key: SearchKey) => string;
  /** Link bar of one dashboard: the others. */
  readonly sisters: (key: DashboardKey) => readonly LinkTarget[];
  /** Menu entry of a panel: open another dashboard with the value that was clicked. */
  readonly open: (key: DashboardKey) => Drilldown;
}

function wordsIn(say: Say): Words {
  return {
    time: say('Time', 'Время'),
    person: say('Person', 'Сотрудник'),
    domain: say('Domain', 'Домен'),
    pc: say('PC', 'ПК'),
    program: say('Program', 'Программа'),
    executable: say('Executable', 'Исполняемый файл'),
    file: say('File name', 'Имя файла'),
    folder: say('Folder', 'Папка'),
    parent: say('Started by', 'Кем запущен'),
    people: say('People', 'Сотрудники'),
    pcs: say('PCs', 'ПК'),
    programs: say('Programs', 'Программы'),
    executables: say('Executables', 'Исполняемые файлы'),
    starts: say('Starts', 'Запуски'),
    launches: say('Launches', 'Запуски'),
    first: say('First', 'Первый'),
    last: say('Last', 'Последний'),
    lastPerson: say('Last person', 'Кто последний'),
    lastPc: say('Last PC', 'Посл. ПК'),
    agent: say('Agent', 'Агент'),
    agents: say('Agents', 'Агенты'),
    version: say('Version', 'Версия'),
    state: say('State', 'Состояние'),
    rule: say('Rule', 'Правило'),
    chat: say('Chat', 'Чат'),
    alerts: say('Alerts', 'Оповещения'),
  };
}

const shortTitles = (say: Say): Readonly<Record<DashboardKey, string>> => ({
  overview: say('Overview', 'Обзор'),
  watched: say('Watched programs', 'Отслеживаемые программы'),
  people: say('People and PCs', 'Сотрудники и ПК'),
  trees: say('Process trees', 'Деревья процессов'),
  hunting: say('Hunting', 'Поиск угроз'),
  alerts: say('Alerts', 'Оповещения'),
  health: say('Fleet health', 'Состояние агентов'),
});

export function namingIn(language: Language): Naming {
  const say = sayIn(language);
  const titles = shortTitles(say);
  const dashboardId = (key: DashboardKey): string => idIn(language, `launchbeat-dashboard-${key}`);
  return {
    say,
    words: wordsIn(say),
    dataViewId: idIn(language, 'launchbeat-process-starts'),
    healthViewId: idIn(language, 'launchbeat-health'),
    alertsViewId: idIn(language, 'launchbeat-alerts'),
    tagId: idIn(language, 'launchbeat-tag'),
    dashboardId,
    dashboardTitle: (key) => `[Launchbeat] ${titles[key]}`,
    searchId: (key) => idIn(language, `launchbeat-search-${key}`),
    sisters: (key) =>
      DASHBOARD_KEYS.filter((other) => other !== key).map((other) => ({
        dashboardId: dashboardId(other),
        label: titles[other],
      })),
    open: (key) => ({
      dashboardId: dashboardId(key),
      label: say(`Open in ${titles[key]}`, `Открыть: ${titles[key]}`),
    }),
  };
}
