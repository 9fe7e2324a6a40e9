/**
 * Takes the identity, gives the three XML files by which GPMC knows a backup: manifest.xml (list of the backups of a folder),
 * bkupInfo.xml (one backup) and Backup.xml (what to copy where, and which client-side extensions must run).
 * Microsoft documents none of them; the shape is that of backups which GPMC wrote: one of 2016 with exactly these three parts
 * (nsacyber/Windows-Secure-Host-Baseline on GitHub), and those of Windows Server 2025 (hraedon/gpo-studio).
 */
import type { GpoIdentity } from './gpo-identity.ts';
import { securityDescriptorHex } from './security-descriptor.ts';

const OPERATIONS = 'http://www.microsoft.com/GroupPolicy/GPOOperations';

/** Client-side extensions, and with each the editor that GPMC names beside it in gPCMachineExtensionNames. */
export const EXTENSIONS = {
  registry: {
    cse: '{35378EAC-683F-11D2-A89A-00C04FBBCFA2}',
    tool: '{D02B1F72-3407-48AE-BA88-E8213C6761F1}',
  },
  security: {
    cse: '{827D319E-6EAC-11D2-A4EA-00C04F79F83A}',
    tool: '{803E14A0-B4FB-11D0-A0D0-00A0C90F574B}',
  },
  audit: {
    cse: '{F3CCC681-B74C-4060-9F26-CD84525DCA2A}',
    tool: '{0F3F3735-573D-9804-99E4-AB2A69BA5FD4}',
  },
} as const;

/** Under this id GPMC keeps all files that it has no own extension for; audit.csv is one. */
const OTHER_FILES = '{F15C46CD-82A0-4C2D-A210-5D0D3182A418}';

/** Paths below Machine, in the case in which GPMC writes them. */
export const REGISTRY_POL_PATH = 'registry.pol';
export const TEMPLATE_PATH = 'microsoft\\windows nt\\SecEdit\\GptTmpl.inf';
export const AUDIT_CSV_PATH = 'microsoft\\windows nt\\Audit\\audit.csv';

const FOLDERS = [
  'microsoft',
  'microsoft\\windows nt',
  'microsoft\\windows nt\\Audit',
  'microsoft\\windows nt\\SecEdit',
];

/** The value of gPCMachineExtensionNames: pairs in ascending order of the extension ([MS-GPOL] 2.2.4). */
export function machineExtensionNames(): string {
  return Object.values(EXTENSIONS)
    .map(({ cse, tool }) => `[${cse}${tool}]`)
    .sort()
    .join('');
}

/** A CDATA section holds anything but `]]>`. */
function cdata(text: string): string {
  if (text.includes(']]>')) throw new Error(`${text}: cannot stand in a CDATA section`);
  return `<![CDATA[${text}]]>`;
}

const element = (name: string, text: string): string => `<${name}>${cdata(text)}</${name}>`;

function backupInstance(identity: GpoIdentity): string {
  return [
    element('GPOGuid', identity.gpoId),
    element('GPODomain', identity.domain),
    element('GPODomainGuid', identity.domainId),
    element('GPODomainController', identity.domainController),
    element('BackupTime', identity.backupTime),
    element('ID', identity.backupId),
    element('Comment', identity.comment),
    element('GPODisplayName', identity.displayName),
  ].join('');
}

/** manifest.xml of the folder that holds the backup: one line, no line end. */
export function manifestXml(identity: GpoIdentity): Buffer {
  const namespaces = `xmlns="${OPERATIONS}/Manifest" xmlns:mfst="${OPERATIONS}/Manifest" mfst:version="1.0"`;
  return Buffer.from(
    `<Backups ${namespaces}><BackupInst>${backupInstance(identity)}</BackupInst></Backups>`,
  );
}

/** bkupInfo.xml of the backup: one line. */
export function backupInfoXml(identity: GpoIdentity): Buffer {
  return Buffer.from(
    `<BackupInst xmlns="${OPERATIONS}/Manifest">${backupInstance(identity)}</BackupInst>\r\n`,
  );
}

function sourcePath(identity: GpoIdentity, path: string): string {
  return `\\\\${identity.domainController}\\sysvol\\${identity.domain}\\Policies\\${identity.gpoId}\\${path}`;
}

function machineObject(
  identity: GpoIdentity,
  tag: 'FSObjectFile' | 'FSObjectDir',
  path: string,
): string {
  const check = path === TEMPLATE_PATH ? ' bkp:ReEvaluateFunction="SecurityValidateSettings"' : '';
  const source = sourcePath(identity, `Machine\\${path}`);
  return `<${tag} bkp:Path="%GPO_MACH_FSPATH%\\${path}" bkp:SourceExpandedPath="${source}"${check} bkp:Location="DomainSysvol\\GPO\\Machine\\${path}"/>`;
}

function coreSettings(identity: GpoIdentity): string {
  const version = identity.version * 0x1_00_01;
  return [
    '<GroupPolicyCoreSettings>',
    element('ID', identity.gpoId),
    element('Domain', identity.domain),
    `<SecurityDescriptor>${securityDescriptorHex()}</SecurityDescriptor>`,
    element('DisplayName', identity.displayName),
    // 1: the user half is switched off.
    element('Options', '1'),
    element('UserVersionNumber', '0'),
    element('MachineVersionNumber', String(version)),
    element('MachineExtensionGuids', machineExtensionNames()),
    '<UserExtensionGuids/><WMIFilter/></GroupPolicyCoreSettings>',
  ].join('');
}

function extension(id: string, name: string, objects: readonly string[]): string {
  const body = objects.map((object) => `            ${object}\r\n`).join('');
  return `        <GroupPolicyExtension bkp:ID="${id}" bkp:DescName="${name}">\r\n${body}        </GroupPolicyExtension>\r\n`;
}

/** Backup.xml: UTF-8 without a byte order mark, CRLF. */
export function backupXml(identity: GpoIdentity): Buffer {
  const adm = `<FSObjectFile bkp:Path="%GPO_FSPATH%\\Adm\\*.*" bkp:SourceExpandedPath="${sourcePath(identity, 'Adm\\*.*')}"/>`;
  const text = [
    '<?xml version="1.0" encoding="utf-8"?>',
    `<GroupPolicyBackupScheme bkp:version="2.0" bkp:type="GroupPolicyBackupTemplate" xmlns:bkp="${OPERATIONS}" xmlns="${OPERATIONS}">\r\n`,
    `    <GroupPolicyObject><SecurityGroups/><FilePaths/>${coreSettings(identity)}\r\n`,
    extension(EXTENSIONS.registry.cse, 'Registry', [
      machineObject(identity, 'FSObjectFile', REGISTRY_POL_PATH),
      adm,
    ]),
    extension(EXTENSIONS.security.cse, 'Security', [
      machineObject(identity, 'FSObjectFile', TEMPLATE_PATH),
    ]),
    extension(OTHER_FILES, 'Unknown Extension', [
      ...FOLDERS.map((folder) => machineObject(identity, 'FSObjectDir', folder)),
      machineObject(identity, 'FSObjectFile', AUDIT_CSV_PATH),
    ]),
    '    </GroupPolicyObject>\r\n</GroupPolicyBackupScheme>\r\n',
  ].join('');
  return Buffer.from(text);
}
