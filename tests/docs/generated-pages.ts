/** The pages of docs/ that are written from the code: file → its text. */
import { performancePage } from '../../bench/performance-page.ts';
import { eventFieldsPage } from './event-fields-page.ts';
import { httpApiPage } from './http-api-page.ts';

export const GENERATED_PAGES: Readonly<Record<string, () => string>> = {
  'docs/event-fields.md': eventFieldsPage,
  'docs/http-api.md': httpApiPage,
  'docs/performance.md': () => performancePage(),
};
