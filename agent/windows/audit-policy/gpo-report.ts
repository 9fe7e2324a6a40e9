/**
 * Takes the identity and the settings, gives gpreport.xml: the report that GPMC shows for a backup ("View Settings").
 * Import-GPO does not read it. UTF-16LE with a byte order mark, CRLF, as GPMC writes it.
 */
import type { GpoIdentity } from './gpo-identity.ts';
import { templateKey } from './gpt-template.ts';
import type { AuditSubcategory, RegistryPolicy, SecurityOption } from './settings.ts';

const SETTINGS_NAMESPACE = 'http://www.microsoft.com/GroupPolicy/Settings';
const TYPES_NAMESPACE = 'http://www.microsoft.com/GroupPolicy/Types';

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escapeXml = (text: string): string => text.replace(/[&<>]/g, (sign) => ESCAPES[sign] ?? sign);

export interface ReportSettings {
  readonly subcategories: readonly AuditSubcategory[];
  readonly registry: readonly RegistryPolicy[];
  readonly options: readonly SecurityOption[];
}

function registrySetting(policy: RegistryPolicy): string {
  const { data } = policy;
  const value =
    data.type === 'REG_DWORD'
      ? `<q1:Number>${data.number}</q1:Number>`
      : `<q1:String>${escapeXml(data.text)}</q1:String>`;
  return `<q1:RegistrySetting><q1:KeyPath>${escapeXml(policy.key)}</q1:KeyPath><q1:AdmSetting>false</q1:AdmSetting><q1:Value><q1:Name>${escapeXml(policy.valueName)}</q1:Name>${value}</q1:Value></q1:RegistrySetting>`;
}

function securityOption(option: SecurityOption): string {
  return `<q2:SecurityOptions><q2:KeyName>${escapeXml(templateKey(option))}</q2:KeyName><q2:SettingNumber>${option.number}</q2:SettingNumber><q2:Display><q2:Name>${escapeXml(option.name)}</q2:Name><q2:Units/><q2:DisplayBoolean>${option.number === 1}</q2:DisplayBoolean></q2:Display></q2:SecurityOptions>`;
}

function auditSetting({ name, guid, value }: AuditSubcategory): string {
  return `<q3:AuditSetting><q3:PolicyTarget>System</q3:PolicyTarget><q3:SubcategoryName>${escapeXml(name)}</q3:SubcategoryName><q3:SubcategoryGuid>${guid}</q3:SubcategoryGuid><q3:SettingValue>${value}</q3:SettingValue></q3:AuditSetting>`;
}

interface ReportExtension {
  readonly prefix: string;
  readonly namespace: string;
  readonly type: string;
  readonly name: string;
  readonly body: readonly string[];
}

function extensionData({
  prefix,
  namespace,
  type,
  name,
  body,
}: ReportExtension): readonly string[] {
  return [
    '    <ExtensionData>',
    `      <Extension xmlns:${prefix}="${SETTINGS_NAMESPACE}/${namespace}" xsi:type="${prefix}:${type}">`,
    ...body.map((setting) => `        ${setting}`),
    '      </Extension>',
    `      <Name>${name}</Name>`,
    '    </ExtensionData>',
  ];
}

function computerSide(identity: GpoIdentity, settings: ReportSettings): readonly string[] {
  return [
    '  <Computer>',
    `    <VersionDirectory>${identity.version}</VersionDirectory>`,
    `    <VersionSysvol>${identity.version}</VersionSysvol>`,
    '    <Enabled>true</Enabled>',
    ...extensionData({
      prefix: 'q1',
      namespace: 'Registry',
      type: 'RegistrySettings',
      name: 'Registry',
      body: [...settings.registry.map(registrySetting), '<q1:Blocked>false</q1:Blocked>'],
    }),
    ...extensionData({
      prefix: 'q2',
      namespace: 'Security',
      type: 'SecuritySettings',
      name: 'Security',
      body: [...settings.options.map(securityOption), '<q2:Blocked>false</q2:Blocked>'],
    }),
    ...extensionData({
      prefix: 'q3',
      namespace: 'Auditing',
      type: 'AuditSettings',
      name: 'Advanced Audit Configuration',
      body: settings.subcategories.map(auditSetting),
    }),
    '  </Computer>',
  ];
}

/** The whole file. */
export function gpoReport(identity: GpoIdentity, settings: ReportSettings): Buffer {
  const lines = [
    '<?xml version="1.0" encoding="utf-16"?>',
    `<GPO xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="${SETTINGS_NAMESPACE}">`,
    '  <Identifier>',
    `    <Identifier xmlns="${TYPES_NAMESPACE}">${identity.gpoId}</Identifier>`,
    `    <Domain xmlns="${TYPES_NAMESPACE}">${identity.domain}</Domain>`,
    '  </Identifier>',
    `  <Name>${escapeXml(identity.displayName)}</Name>`,
    '  <IncludeComments>true</IncludeComments>',
    `  <CreatedTime>${identity.backupTime}</CreatedTime>`,
    `  <ModifiedTime>${identity.backupTime}</ModifiedTime>`,
    `  <ReadTime>${identity.backupTime}</ReadTime>`,
    '  <FilterDataAvailable>false</FilterDataAvailable>',
    ...computerSide(identity, settings),
    '  <User>',
    '    <VersionDirectory>0</VersionDirectory>',
    '    <VersionSysvol>0</VersionSysvol>',
    '    <Enabled>false</Enabled>',
    '  </User>',
    '</GPO>',
  ];
  return Buffer.from(`\uFEFF${lines.join('\r\n')}`, 'utf16le');
}
