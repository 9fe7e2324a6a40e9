/**
 * Gives every generated file of this folder, by path: the GPO backup below gpo-backup/ and AuditPolicy.psd1. Pure: the same
 * bytes on every run, so that a change of a setting shows as a change of files and nothing else does.
 */
import { auditCsv } from './audit-csv.ts';
import {
  AUDIT_CSV_PATH,
  backupInfoXml,
  backupXml,
  manifestXml,
  REGISTRY_POL_PATH,
  TEMPLATE_PATH,
} from './backup-xml.ts';
import { GPO_IDENTITY } from './gpo-identity.ts';
import { gpoReport } from './gpo-report.ts';
import { gptTemplate } from './gpt-template.ts';
import { registryPol } from './registry-pol.ts';
import { PROCESS_CREATION, REGISTRY_POLICIES, SETTINGS, SUBCATEGORY_OVERRIDE } from './settings.ts';
import { settingsDataFile } from './settings-data-file.ts';

/** Folder to hand to Import-GPO -Path. */
export const BACKUP_FOLDER = 'gpo-backup';
export const DATA_FILE = 'AuditPolicy.psd1';

/** Files of the backup by path from BACKUP_FOLDER, with forward slashes, in a fixed order. */
export function gpoBackup(): ReadonlyMap<string, Buffer> {
  const { backupId } = GPO_IDENTITY;
  const machine = (path: string): string =>
    `${backupId}/DomainSysvol/GPO/Machine/${path.replaceAll('\\', '/')}`;
  return new Map([
    ['manifest.xml', manifestXml(GPO_IDENTITY)],
    [`${backupId}/bkupInfo.xml`, backupInfoXml(GPO_IDENTITY)],
    [`${backupId}/Backup.xml`, backupXml(GPO_IDENTITY)],
    [
      `${backupId}/gpreport.xml`,
      gpoReport(GPO_IDENTITY, {
        subcategories: [PROCESS_CREATION],
        registry: REGISTRY_POLICIES,
        options: [SUBCATEGORY_OVERRIDE],
      }),
    ],
    [machine(REGISTRY_POL_PATH), registryPol(REGISTRY_POLICIES)],
    [machine(AUDIT_CSV_PATH), auditCsv([PROCESS_CREATION])],
    [machine(TEMPLATE_PATH), gptTemplate([SUBCATEGORY_OVERRIDE])],
  ]);
}

/** Every generated file by path from this folder. */
export function generatedFiles(): ReadonlyMap<string, Buffer> {
  const backup = gpoBackup();
  return new Map([
    [DATA_FILE, settingsDataFile(GPO_IDENTITY, SETTINGS, backup)],
    ...[...backup].map(([path, bytes]) => [`${BACKUP_FOLDER}/${path}`, bytes] as const),
  ]);
}
