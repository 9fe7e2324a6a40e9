/**
 * The one table of what Windows must be told so that process starts reach the Security log with their command line.
 * Everything else of this folder follows from it: the GPO backup, AuditPolicy.psd1 (which the scripts read) and the
 * table of CSP settings in docs/audit-policy.md. Change it here, run `make audit-policy`, commit what changed.
 */

/** How Intune and other MDM services set the same thing: a row of a custom profile. */
export interface CspSetting {
  /** OMA-URI of the Policy CSP. */
  readonly uri: string;
  readonly format: 'integer' | 'string';
  readonly value: string;
  /** Oldest Windows that takes it, as Microsoft's page of that CSP says. */
  readonly since: string;
}

interface SettingBase {
  /** Key of the setting in AuditPolicy.psd1, in the scripts' output and in undo files. */
  readonly id: string;
  /** Name as the English Group Policy editor shows it. */
  readonly name: string;
  readonly why: string;
  readonly csp: CspSetting;
}

/** A row of audit.csv ([MS-GPAC] 2.2.1). Set by GUID everywhere, since Windows localises the name. */
export interface AuditSubcategory extends SettingBase {
  readonly kind: 'audit-subcategory';
  /** Subcategory GUID with braces, lower case. */
  readonly guid: string;
  /** [MS-GPAC] 2.2.1.3.1: 1 success, 2 failure, 3 both, 4 none; 0 means "unchanged". */
  readonly value: 1 | 2 | 3 | 4;
}

/** A value of registry.pol ([MS-GPREG]): administrative templates under HKEY_LOCAL_MACHINE. */
export interface RegistryPolicy extends SettingBase {
  readonly kind: 'registry-policy';
  /** Key below HKEY_LOCAL_MACHINE, without a leading backslash. */
  readonly key: string;
  readonly valueName: string;
  readonly data:
    | { readonly type: 'REG_DWORD'; readonly number: number }
    | { readonly type: 'REG_SZ'; readonly text: string };
  /** What the local script does in place of the policy value: it writes the registry or sets the log itself. */
  readonly local: 'registry' | 'log-size' | 'log-mode';
  readonly admx: string;
}

/** A line of GptTmpl.inf ([MS-GPSB] 2.2.5): Security Options kept in the registry. */
export interface SecurityOption extends SettingBase {
  readonly kind: 'security-option';
  /** Key below HKEY_LOCAL_MACHINE, without a leading backslash. */
  readonly key: string;
  readonly valueName: string;
  readonly number: number;
}

export type AuditPolicySetting = AuditSubcategory | RegistryPolicy | SecurityOption;

const POLICY_CSP = './Device/Vendor/MSFT/Policy/Config';
const SECURITY_LOG_POLICY = 'Software\\Policies\\Microsoft\\Windows\\EventLog\\Security';

/** 192 MiB: the size of Microsoft's and NSA's baselines; about two weeks of a busy PC. */
export const SECURITY_LOG_KILOBYTES = 196_608;

export const PROCESS_CREATION: AuditSubcategory = {
  kind: 'audit-subcategory',
  id: 'ProcessCreation',
  name: 'Audit Process Creation',
  why: 'Writes event 4688 for every process start. There are only successes: a failed start writes none.',
  guid: '{0cce922b-69ae-11d9-bed3-505054503030}',
  value: 1,
  csp: {
    uri: `${POLICY_CSP}/Audit/DetailedTracking_AuditProcessCreation`,
    format: 'integer',
    value: '1',
    since: 'Windows 10 1803 with its later updates',
  },
};

/** In the order in which registry.pol keeps them. */
export const REGISTRY_POLICIES: readonly RegistryPolicy[] = [
  {
    kind: 'registry-policy',
    id: 'IncludeCommandLine',
    name: 'Include command line in process creation events',
    why: 'Without it CommandLine is empty: helper processes of browsers are told apart worse, and searches miss arguments.',
    key: 'Software\\Microsoft\\Windows\\CurrentVersion\\Policies\\System\\Audit',
    valueName: 'ProcessCreationIncludeCmdLine_Enabled',
    data: { type: 'REG_DWORD', number: 1 },
    local: 'registry',
    admx: 'AuditSettings.admx, IncludeCmdLine',
    csp: {
      uri: `${POLICY_CSP}/ADMX_AuditSettings/IncludeCmdLine`,
      format: 'string',
      value: '<enabled/>',
      since: 'Windows 10 2004 with KB5005101, Windows 11',
    },
  },
  {
    kind: 'registry-policy',
    id: 'SecurityLogSize',
    name: 'Specify the maximum log file size (KB)',
    why: 'The default of 20 MB holds hours, not days: what happened while the agent was stopped would be overwritten.',
    key: SECURITY_LOG_POLICY,
    valueName: 'MaxSize',
    data: { type: 'REG_DWORD', number: SECURITY_LOG_KILOBYTES },
    local: 'log-size',
    admx: 'EventLog.admx, Channel_LogMaxSize_2',
    csp: {
      uri: `${POLICY_CSP}/EventLogService/SpecifyMaximumFileSizeSecurityLog`,
      format: 'string',
      value: `<enabled/><data id="Channel_LogMaxSize" value="${SECURITY_LOG_KILOBYTES}"/>`,
      since: 'Windows 10 1703',
    },
  },
  {
    kind: 'registry-policy',
    id: 'SecurityLogRetention',
    name: 'Control Event Log behavior when the log file reaches its maximum size: Disabled',
    why: 'The oldest events give way. Enabled, a full log takes no new events at all and the agent sees nothing more.',
    key: SECURITY_LOG_POLICY,
    valueName: 'Retention',
    data: { type: 'REG_SZ', text: '0' },
    local: 'log-mode',
    admx: 'EventLog.admx, Channel_Log_Retention_2',
    csp: {
      uri: `${POLICY_CSP}/ADMX_EventLog/Channel_Log_Retention_2`,
      format: 'string',
      value: '<disabled/>',
      since: 'Windows 10 2004 with KB5005101, Windows 11',
    },
  },
];

export const SUBCATEGORY_OVERRIDE: SecurityOption = {
  kind: 'security-option',
  id: 'SubcategoryOverride',
  name: 'Audit: Force audit policy subcategory settings (Windows Vista or later) to override audit policy category settings',
  why: 'Without it an old category audit policy ("Audit process tracking") of any GPO undoes the subcategory.',
  key: 'System\\CurrentControlSet\\Control\\Lsa',
  valueName: 'SCENoApplyLegacyAuditPolicy',
  number: 1,
  csp: {
    uri: `${POLICY_CSP}/LocalPoliciesSecurityOptions/Audit_ForceAuditPolicySubcategorySettingsToOverrideAuditPolicyCategorySettings`,
    format: 'integer',
    value: '1',
    since: 'Windows 11 24H2; 22H2 and 23H2 with KB5053657; older ones: by script or GPO',
  },
};

export const SETTINGS: readonly AuditPolicySetting[] = [
  PROCESS_CREATION,
  ...REGISTRY_POLICIES,
  SUBCATEGORY_OVERRIDE,
];
