/**
 * Takes a dashboard's own rows, gives it the link bar, the words on how to read it, and the controls.
 */
import { type Control, dashboard, type Row } from '../build/dashboard.ts';
import type { LensParts } from '../build/lens.ts';
import type { SavedObject } from '../build/saved-object.ts';
import { links, markdown } from '../build/text-panels.ts';
import type { DashboardKey, Naming } from './naming.ts';

/** What every Lens panel of a dashboard shares: its data view and its name. */
export type Start = (
  name: string,
  title: string,
) => Pick<LensParts, 'name' | 'title' | 'dataViewId'>;

/** Names panels `<dashboard>/<panel>`: unique within the bundle, and the same in both languages but for the ids' namespace. */
export const startOf =
  (naming: Naming, key: DashboardKey, dataViewId = naming.dataViewId): Start =>
  (name, title) => ({ name: `${naming.dashboardId(key)}/${name}`, title, dataViewId });

interface FrameParts {
  readonly key: DashboardKey;
  /** The question that the dashboard answers, as the list of dashboards shows it. */
  readonly description: string;
  /** Markdown: how to read it, and what it needs. */
  readonly howToRead: string;
  readonly timeFrom: string;
  readonly query?: string;
  readonly rows: readonly Row[];
  /** Default: the process starts, with person, PC, program and file. */
  readonly about?: { readonly dataViewId: string; readonly controls: readonly Control[] };
}

/** Height of the link bar and of the words, in grid rows. */
const LINKS_HEIGHT = 3;
const WORDS_HEIGHT = 6;

export function framed(naming: Naming, parts: FrameParts): SavedObject {
  const { say, words } = naming;
  const id = naming.dashboardId(parts.key);
  return dashboard({
    id,
    title: naming.dashboardTitle(parts.key),
    description: parts.description,
    dataViewId: parts.about?.dataViewId ?? naming.dataViewId,
    tagId: naming.tagId,
    timeFrom: parts.timeFrom,
    query: parts.query ?? '',
    controls: parts.about?.controls ?? [
      { field: 'launchbeat.actor.name', title: words.person },
      { field: 'host.name', title: words.pc },
      { field: 'launchbeat.program', title: say('Watched program', 'Отслеживаемая программа') },
      { field: 'process.name', title: words.file },
      { field: 'process.parent.name', title: words.parent },
    ],
    rows: [
      {
        height: LINKS_HEIGHT,
        panels: [[48, links({ name: `${id}/links`, targets: naming.sisters(parts.key) })]],
      },
      ...parts.rows,
      {
        height: WORDS_HEIGHT,
        panels: [[48, markdown({ name: `${id}/words`, markdown: parts.howToRead })]],
      },
    ],
  });
}
