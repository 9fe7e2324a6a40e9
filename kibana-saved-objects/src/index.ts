/** The door of the package: the dashboards as files to import, the check of such files, and the import itself. */

export type { Language } from './build/language.ts';
export { BUNDLE_FILES, bundleText } from './bundle.ts';
export { checkExport } from './check/check-export.ts';
export type { Problem } from './check/problem.ts';
export { rulesText } from './detections/detection-rules.ts';
export type { ObjectFault } from './import/import-answer.ts';
export { type ImportOptions, type ImportOutcome, importBundle } from './import/import-bundle.ts';
export type { Credentials, KibanaAddress } from './import/kibana-request.ts';
export { officeMonth } from './office/office-month.ts';
export type { OfficeOptions } from './office/staff.ts';
