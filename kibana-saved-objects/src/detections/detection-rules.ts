/**
 * Gives detection rules for Elastic Security, as one NDJSON text to import there.
 * Keeps: all of them are imported switched off, since only who knows the office can tell what is everyday in it; a rule looks back
 * over an hour, since a PC that was offline sends late, and Kibana makes one alert of one document however often it is seen.
 */
import { stableId } from '../build/saved-object.ts';
import { DATA_VIEW_TITLE } from '../dashboards/events-data-view.ts';
import {
  BY_PEOPLE,
  flagged,
  REDACTED,
  SUSPICIOUS_POWERSHELL,
  WATCHED,
} from '../dashboards/questions.ts';
import { TECHNIQUES, type Technique, threatOf } from './attack.ts';

/** The file, relative to the package. */
export const RULES_FILE = 'launchbeat-rules.ndjson';

/** Elastic's own score for each severity. */
export const RISK_SCORES = { low: 21, medium: 47, high: 73 } as const;

interface RuleParts {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  /** KQL. */
  readonly query: string;
  readonly severity: keyof typeof RISK_SCORES;
  readonly techniques: readonly Technique[];
  /** What finds it without being an attack. */
  readonly everyday: string;
}

const OFFICE_CHILD = flagged('office_child');

const RULES: readonly RuleParts[] = [
  {
    key: 'encoded-powershell',
    name: 'PowerShell with an encoded command',
    description: 'PowerShell was started with a command in Base64, which hides what it does.',
    query: flagged('encoded_powershell'),
    severity: 'high',
    techniques: [TECHNIQUES.powershell, TECHNIQUES.obfuscation],
    everyday: 'Management agents that pass scripts this way.',
  },
  {
    key: 'suspicious-powershell',
    name: 'PowerShell that hides or downloads',
    description:
      'PowerShell was started with a hidden window, a bypassed execution policy or code from the network.',
    query: `(${SUSPICIOUS_POWERSHELL}) and not ${flagged('encoded_powershell')}`,
    severity: 'medium',
    techniques: [TECHNIQUES.powershell],
    everyday: 'Installers and logon scripts.',
  },
  {
    key: 'office-starts-shell',
    name: 'Office program started a shell or a script host',
    description:
      'A shell, a script host or a borrowed Windows program is the child of an Office program.',
    query: `${OFFICE_CHILD} and (${flagged('script_host')} or ${flagged('lolbin')})`,
    severity: 'high',
    techniques: [TECHNIQUES.maliciousFile, TECHNIQUES.interpreter],
    everyday: 'Add-ins that call scripts.',
  },
  {
    key: 'office-starts-from-writable-folder',
    name: 'Office program started a program from a writable folder',
    description:
      'An Office program started a program that lies where anyone may write, such as an opened attachment.',
    query: `${OFFICE_CHILD} and ${flagged('user_writable_path')} and not ${WATCHED}`,
    severity: 'high',
    techniques: [TECHNIQUES.maliciousFile],
    everyday: 'Meeting programs that install into the profile and open from a mail.',
  },
  {
    key: 'double-extension',
    name: 'Program that poses as a document',
    description: 'The name of the started program ends like a document before its real extension.',
    query: flagged('double_extension'),
    severity: 'high',
    techniques: [TECHNIQUES.doubleExtension],
    everyday: 'Hardly anything.',
  },
  {
    key: 'remote-tool',
    name: 'Remote access tool',
    description: 'A program for remote control was started.',
    query: flagged('remote_tool'),
    severity: 'medium',
    techniques: [TECHNIQUES.remoteAccess],
    everyday: 'The tool of your own help desk: add it as an exception.',
  },
  {
    key: 'lolbin-with-address',
    name: 'Borrowed Windows program with a web address',
    description:
      'A Windows program that attackers borrow was started with a web address on its command line.',
    query: `${flagged('lolbin')} and process.command_line.text : (http or https)`,
    severity: 'high',
    techniques: [TECHNIQUES.proxyExecution, TECHNIQUES.toolTransfer],
    everyday: 'Old intranet applications that open pages through rundll32 or mshta.',
  },
  {
    key: 'elevated-shell',
    name: 'Elevated shell of a person',
    description: 'A person started a shell or a script host with full rights.',
    query: `${BY_PEOPLE} and ${flagged('elevated')} and ${flagged('script_host')}`,
    severity: 'medium',
    techniques: [TECHNIQUES.interpreter],
    everyday: 'Administrators at work: add them as an exception.',
  },
  {
    key: 'secret-on-command-line',
    name: 'Secret on a command line',
    description:
      'A password, key or token stood on a command line. The value is redacted in the document; on the PC any program could read it.',
    query: REDACTED,
    severity: 'low',
    techniques: [TECHNIQUES.unsecuredCredentials],
    everyday: 'Scripts that take passwords as arguments: change the script and the password.',
  },
  {
    key: 'long-command-line',
    name: 'Very long command line',
    description: 'A command line is so long that a script may be hidden on it.',
    query: flagged('long_cmdline'),
    severity: 'low',
    techniques: [TECHNIQUES.obfuscation],
    everyday: 'Java and build tools.',
  },
];

function ruleOf({ key, severity, techniques, everyday, ...parts }: RuleParts): object {
  return {
    rule_id: stableId('launchbeat-rule', key),
    type: 'query',
    name: `[Launchbeat] ${parts.name}`,
    description: parts.description,
    index: [DATA_VIEW_TITLE],
    language: 'kuery',
    query: parts.query,
    severity,
    risk_score: RISK_SCORES[severity],
    threat: threatOf(techniques),
    false_positives: [everyday],
    tags: ['Launchbeat', 'OS: Windows'],
    author: ['Launchbeat'],
    references: [],
    enabled: false,
    interval: '5m',
    from: 'now-65m',
    to: 'now',
    max_signals: 100,
    version: 1,
    exceptions_list: [],
    actions: [],
  };
}

/** One rule a line. */
export const rulesText = (): string =>
  RULES.map((parts) => `${JSON.stringify(ruleOf(parts))}\n`).join('');
