/**
 * Names the techniques of MITRE ATT&CK (Enterprise, version 16) that our rules are about, and gives them in the form of a rule.
 */

export interface Technique {
  readonly tactic: readonly [id: string, name: string];
  readonly technique: readonly [id: string, name: string];
  readonly sub?: readonly [id: string, name: string];
}

const EXECUTION = ['TA0002', 'Execution'] as const;
const EVASION = ['TA0005', 'Defense Evasion'] as const;
const CONTROL = ['TA0011', 'Command and Control'] as const;
const INTERPRETER = ['T1059', 'Command and Scripting Interpreter'] as const;

export const TECHNIQUES = {
  interpreter: { tactic: EXECUTION, technique: INTERPRETER },
  powershell: { tactic: EXECUTION, technique: INTERPRETER, sub: ['T1059.001', 'PowerShell'] },
  maliciousFile: {
    tactic: EXECUTION,
    technique: ['T1204', 'User Execution'],
    sub: ['T1204.002', 'Malicious File'],
  },
  obfuscation: { tactic: EVASION, technique: ['T1027', 'Obfuscated Files or Information'] },
  doubleExtension: {
    tactic: EVASION,
    technique: ['T1036', 'Masquerading'],
    sub: ['T1036.007', 'Double File Extension'],
  },
  proxyExecution: { tactic: EVASION, technique: ['T1218', 'System Binary Proxy Execution'] },
  remoteAccess: { tactic: CONTROL, technique: ['T1219', 'Remote Access Software'] },
  toolTransfer: { tactic: CONTROL, technique: ['T1105', 'Ingress Tool Transfer'] },
  /** Stands under three more tactics; one is enough for a rule. */
  domainAccounts: {
    tactic: EVASION,
    technique: ['T1078', 'Valid Accounts'],
    sub: ['T1078.002', 'Domain Accounts'],
  },
  remoteServices: {
    tactic: ['TA0008', 'Lateral Movement'],
    technique: ['T1021', 'Remote Services'],
  },
  inhibitRecovery: {
    tactic: ['TA0040', 'Impact'],
    technique: ['T1490', 'Inhibit System Recovery'],
  },
  unsecuredCredentials: {
    tactic: ['TA0006', 'Credential Access'],
    technique: ['T1552', 'Unsecured Credentials'],
  },
} as const satisfies Readonly<Record<string, Technique>>;

const SITE = 'https://attack.mitre.org';

const entry = ([id, name]: readonly [string, string], kind: 'tactics' | 'techniques') => ({
  id,
  name,
  reference: `${SITE}/${kind}/${id.replace('.', '/')}/`,
});

/** `threat` of a rule: one entry a tactic, in the order in which they first come; a technique that comes twice stands once. */
export function threatOf(techniques: readonly Technique[]): object[] {
  const tactics = new Map(techniques.map(({ tactic }) => [tactic[0], tactic]));
  return [...tactics.values()].map((tactic) => {
    const own = new Map(
      techniques
        .filter((one) => one.tactic[0] === tactic[0])
        .toSorted((a, b) => Number(a.sub !== undefined) - Number(b.sub !== undefined))
        .map((one) => [one.technique[0], one]),
    );
    return {
      framework: 'MITRE ATT&CK',
      tactic: entry(tactic, 'tactics'),
      technique: [...own.values()].map(({ technique, sub }) => ({
        ...entry(technique, 'techniques'),
        ...(sub === undefined ? {} : { subtechnique: [entry(sub, 'techniques')] }),
      })),
    };
  });
}
