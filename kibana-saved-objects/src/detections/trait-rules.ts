/**
 * Gives the rules that each look at one start: traits that the agent sets, and words of the command line.
 */
import {
  BY_PEOPLE,
  flagged,
  REDACTED,
  SUSPICIOUS_POWERSHELL,
  SYSTEM_ACCOUNT,
  WATCHED,
} from '../dashboards/questions.ts';
import { TECHNIQUES } from './attack.ts';
import type { RuleParts } from './rule-parts.ts';

const OFFICE_CHILD = flagged('office_child');

/** Where downloads, attachments and unpacked archives land. Windows spells these names itself, so that their case can be relied on. */
const DROP_FOLDERS = String.raw`*\\Downloads\\* or *\\Desktop\\* or *\\Temp\\* or *\\Users\\Public\\* or *\\$Recycle.Bin\\*`;

/** How offices name accounts of services; KQL minds case on keyword fields. Managed ones end with `$`, which SYSTEM_ACCOUNT has. */
const SERVICE_NAMES =
  'svc* or Svc* or SVC* or *_svc or *_SVC or *-svc or *-SVC or service_* or service-*';

export const TRAIT_RULES: readonly RuleParts[] = [
  {
    key: 'encoded-powershell',
    mirrors: 'encoded-powershell',
    name: 'PowerShell with an encoded command',
    description: 'PowerShell was started with a command in Base64, which hides what it does.',
    query: flagged('encoded_powershell'),
    severity: 'high',
    techniques: [TECHNIQUES.powershell, TECHNIQUES.obfuscation],
    everyday: 'Management agents that pass scripts this way.',
    investigate: [
      'Decode the text after `-EncodedCommand`: Base64, then UTF-16LE. What does it fetch, write or start?',
      'Who is the parent? Filter the dashboard **Process trees** on the PC, shortly before.',
      'The same text on other PCs: search for its first 30 characters in `process.command_line`.',
    ],
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
    investigate: [
      'Read the command line: an address, a file, a policy that is bypassed, a window that is hidden?',
      'Look at what this PC started in the next ten minutes (`process.parent.pid` = `process.pid` of the alert).',
      'Ask the person, and whoever manages logon scripts.',
    ],
  },
  {
    key: 'office-starts-shell',
    mirrors: 'office-starts-shell',
    name: 'Office program started a shell or a script host',
    description:
      'A shell, a script host or a borrowed Windows program is the child of an Office program.',
    query: `${OFFICE_CHILD} and (${flagged('script_host')} or ${flagged('lolbin')})`,
    severity: 'high',
    techniques: [TECHNIQUES.maliciousFile, TECHNIQUES.interpreter],
    everyday: 'Add-ins that call scripts.',
    investigate: [
      "Which document was open? The parent's own start has it on its command line, if that is logged.",
      "Read the child's command line, then what the child started (`process.parent.pid`).",
      'Did the same pair run elsewhere? Search for `launchbeat.pair`.',
    ],
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
    investigate: [
      'Fetch the file from the PC and look at its signature and hash; event 4688 has neither.',
      'Which mail or document did it come with?',
      'Who else started this `process.name`?',
    ],
  },
  {
    key: 'writable-folder',
    mirrors: 'from-downloads',
    name: 'Person started a program from a folder for downloads',
    description:
      'A person started a program that lies in Downloads, on the desktop, in a folder for temporary files or in the public profile, and that is none of the watched programs.',
    query: `${BY_PEOPLE} and ${flagged('user_writable_path')} and not ${WATCHED} and process.executable : (${DROP_FOLDERS})`,
    severity: 'low',
    techniques: [TECHNIQUES.maliciousFile],
    everyday: 'Installers and their updates: add the signed ones of your office by path.',
    investigate: [
      'Fetch the file and look at its signature and hash; event 4688 has neither.',
      'Where did it come from: a browser, a mail program or an archiver as its parent?',
      'Is the person allowed to install programs?',
    ],
  },
  {
    key: 'service-account-watched-program',
    name: 'Watched program started by a service account',
    description:
      'An account of the system or of a service started a browser, a messenger or another watched program, which is for people.',
    query: `${WATCHED} and (${SYSTEM_ACCOUNT} or launchbeat.actor.name : (${SERVICE_NAMES}))`,
    severity: 'medium',
    techniques: [TECHNIQUES.domainAccounts],
    everyday:
      'Updaters that start a browser as SYSTEM; tests of web pages under a service account. Accounts are known by their names: put the pattern of your office into the query.',
    investigate: [
      'Is somebody logged on with the service account? `winlog.logon.id` leads to event 4624 of the same PC.',
      'Who is the parent: a scheduled task and a service are explained, a shell is not.',
      'Change the password of the account if a person used it.',
    ],
  },
  {
    key: 'double-extension',
    mirrors: 'double-extension',
    name: 'Program that poses as a document',
    description: 'The name of the started program ends like a document before its real extension.',
    query: flagged('double_extension'),
    severity: 'high',
    techniques: [TECHNIQUES.doubleExtension],
    everyday: 'Hardly anything.',
    investigate: [
      'Fetch the file before it is deleted; do not open it.',
      'Where did it come from: look for a mail program, browser or archiver started just before.',
      'What did it start (`process.parent.pid`)?',
    ],
  },
  {
    key: 'backups-deleted',
    mirrors: 'backups-deleted',
    name: 'Backups or shadow copies deleted',
    description:
      'A tool of Windows was told to delete shadow copies or backups, or to switch recovery off: ransomware does so before it encrypts.',
    query: `process.command_line.text : (vssadmin or "vssadmin.exe" or wmic or "wmic.exe" or wbadmin or "wbadmin.exe" or bcdedit or "bcdedit.exe") and process.command_line.text : ("delete shadows" or "shadowcopy delete" or "delete catalog" or "delete systemstatebackup" or "delete backup" or "recoveryenabled no" or "bootstatuspolicy ignoreallfailures")`,
    severity: 'high',
    techniques: [TECHNIQUES.inhibitRecovery],
    everyday:
      'Backup software that makes room, by its own account: add it as an exception by its path.',
    investigate: [
      'Is a backup job of this PC due at this minute? If not, take the PC off the network first.',
      'Who is the parent, and what else did it start in the minutes before?',
      'The same command line on other PCs within the hour: search for it, newest first.',
    ],
  },
  {
    key: 'remote-tool',
    mirrors: 'remote-control',
    name: 'Remote access tool',
    description: 'A program for remote control was started.',
    query: flagged('remote_tool'),
    severity: 'medium',
    techniques: [TECHNIQUES.remoteAccess],
    everyday: 'The tool of your own help desk: add it as an exception.',
    investigate: [
      "Is it your help desk's tool, at its usual path, in a ticket's time?",
      'Was it installed or only run from a download? See `launchbeat.executable_dir`.',
      'Who was at the PC: ask the person whether somebody called them.',
    ],
  },
  {
    key: 'lolbin-with-address',
    mirrors: 'downloads-by-system-tools',
    name: 'Borrowed Windows program with a web address',
    description:
      'A Windows program that attackers borrow was started with a web address on its command line.',
    query: `${flagged('lolbin')} and process.command_line.text : (http or https)`,
    severity: 'high',
    techniques: [TECHNIQUES.proxyExecution, TECHNIQUES.toolTransfer],
    everyday: 'Old intranet applications that open pages through rundll32 or mshta.',
    investigate: [
      'Whose is the address on the command line?',
      'What was written and then started? Look at the next starts on this PC.',
      'Who called it: a document, a script, a scheduled task?',
    ],
  },
  {
    key: 'elevated-shell',
    mirrors: 'elevated-at-night',
    name: 'Elevated shell of a person',
    description: 'A person started a shell or a script host with full rights.',
    query: `${BY_PEOPLE} and ${flagged('elevated')} and ${flagged('script_host')}`,
    severity: 'medium',
    techniques: [TECHNIQUES.interpreter],
    everyday: 'Administrators at work: add them as an exception.',
    investigate: [
      'Is the person an administrator, and is there a reason at that time?',
      'What ran in the shell: `process.parent.pid` = its `process.pid`.',
      'From where did the person log on: `winlog.logon.id` leads to event 4624 of the same PC.',
    ],
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
    investigate: [
      'Change the secret: on the PC every program could read it.',
      'Find the script or task that passes it and let it read the secret from a file or a vault.',
    ],
  },
  {
    key: 'long-command-line',
    name: 'Very long command line',
    description: 'A command line is so long that a script may be hidden on it.',
    query: flagged('long_cmdline'),
    severity: 'low',
    techniques: [TECHNIQUES.obfuscation],
    everyday: 'Java and build tools.',
    investigate: [
      'Look for Base64, long lists of characters, or a script on the line.',
      'Is it a program that is known for it (Java, compilers)? Then add it as an exception by `process.executable`.',
    ],
  },
];
