/**
 * Program: writes launchbeat.ndjson, launchbeat.ru.ndjson and launchbeat-rules.ndjson beside the sources. Run it after every change of a dashboard or a rule:
 * `node kibana-saved-objects/src/write-bundle.ts`.
 */
import { writeFileSync } from 'node:fs';
import { BUNDLE_FILES, bundleText } from './bundle.ts';
import { RULES_FILE, rulesText } from './detections/detection-rules.ts';

for (const language of ['en', 'ru'] as const) {
  const file = new URL(`../${BUNDLE_FILES[language]}`, import.meta.url);
  writeFileSync(file, bundleText(language));
}
writeFileSync(new URL(`../${RULES_FILE}`, import.meta.url), rulesText());
