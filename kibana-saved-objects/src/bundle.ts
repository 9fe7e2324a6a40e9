/**
 * Takes a language, gives everything to import as one NDJSON text.
 * Keeps: the same source gives the same bytes; what others refer to comes first.
 */

import type { Language } from './build/language.ts';
import type { SavedObject } from './build/saved-object.ts';
import { tag } from './build/saved-search.ts';
import { alerts } from './dashboards/alerts.ts';
import { alertsDataView } from './dashboards/alerts-data-view.ts';
import { eventsDataView } from './dashboards/events-data-view.ts';
import { fleetHealth } from './dashboards/fleet-health.ts';
import { healthDataView } from './dashboards/health-data-view.ts';
import { hunting } from './dashboards/hunting.ts';
import { namingIn } from './dashboards/naming.ts';
import { overview } from './dashboards/overview.ts';
import { peopleAndPcs } from './dashboards/people-and-pcs.ts';
import { processTrees } from './dashboards/process-trees.ts';
import { savedSearches } from './dashboards/saved-searches.ts';
import { watchedPrograms } from './dashboards/watched-programs.ts';

/** The files that are imported, relative to the package, by language. */
export const BUNDLE_FILES: Readonly<Record<Language, string>> = {
  en: 'launchbeat.ndjson',
  ru: 'launchbeat.ru.ndjson',
};

/** All saved objects of one language. */
export function bundleObjects(language: Language): SavedObject[] {
  const naming = namingIn(language);
  return [
    eventsDataView(naming),
    alertsDataView(naming),
    healthDataView(naming),
    tag({
      id: naming.tagId,
      name: naming.say('Launchbeat', 'Launchbeat (рус.)'),
      description: naming.say('Process starts on Windows PCs', 'Запуски процессов на ПК с Windows'),
      color: '#0077CC',
    }),
    ...savedSearches(naming),
    overview(naming),
    watchedPrograms(naming),
    peopleAndPcs(naming),
    processTrees(naming),
    hunting(naming),
    alerts(naming),
    fleetHealth(naming),
  ];
}

/** The text of the file: one object per line, then the summary that Kibana's own exports end with. */
export function bundleText(language: Language): string {
  const objects = bundleObjects(language);
  const summary = {
    excludedObjects: [],
    excludedObjectsCount: 0,
    exportedCount: objects.length,
    missingRefCount: 0,
    missingReferences: [],
  };
  return [...objects, summary].map((one) => `${JSON.stringify(one)}\n`).join('');
}
