/**
 * Program: writes launchbeat.ndjson and launchbeat.ru.ndjson beside the sources. Run it after every change of a dashboard:
 * `node kibana-saved-objects/src/write-bundle.ts`.
 */
import { writeFileSync } from 'node:fs';
import { BUNDLE_FILES, bundleText } from './bundle.ts';

for (const language of ['en', 'ru'] as const) {
  const file = new URL(`../${BUNDLE_FILES[language]}`, import.meta.url);
  writeFileSync(file, bundleText(language));
}
