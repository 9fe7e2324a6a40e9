/**
 * Takes audit subcategories, gives the bytes of audit.csv ([MS-GPAC] 2.2.1): ASCII, CRLF, a header line and one line each.
 * Windows applies the GUID and the number; the two texts are for people.
 */
import type { AuditSubcategory } from './settings.ts';

const HEADER =
  'Machine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting,Setting Value';

/** [MS-GPAC] 2.2.1.3.1, InclusionSetting-SA. */
const INCLUSION = {
  1: 'Success',
  2: 'Failure',
  3: 'Success and Failure',
  4: 'No Auditing',
} as const;

/** The whole file. An empty machine name means every machine; the target `System` means every user. */
export function auditCsv(subcategories: readonly AuditSubcategory[]): Buffer {
  const rows = subcategories.map(
    ({ name, guid, value }) => `,System,${name},${guid},${INCLUSION[value]},,${value}`,
  );
  return Buffer.from([HEADER, ...rows, ''].join('\r\n'), 'ascii');
}
