/**
 * `make docs`: writes the generated pages of docs/ anew from the code that they describe.
 */
import { writeFileSync } from 'node:fs';
import { GENERATED_PAGES } from './generated-pages.ts';

for (const [file, page] of Object.entries(GENERATED_PAGES)) {
  writeFileSync(file, page());
  console.log(file);
}
