/**
 * Takes the arguments NAME=value of `make windows`, gives what the MSI is to be told when nobody tells it at its command line.
 * Keeps: what every PC would refuse (host/settings.c) is refused here, before it is rolled out; no value of a secret in a message.
 */
import type { Defaults } from './msi-source.ts';

const VALUE_UNITS_MAX = 2048;
/** What would end a value in the MSI's own hand-over, or cut its line. */
const endsValue = (sign: string): boolean => sign < ' ' || sign === '\x7f' || sign === '|';
const FULL_PATH = /^(?:[A-Za-z]:\\|\\\\[^\\])/;
const FINGERPRINT = /^(?:[0-9a-f]:?){64}$/i;

interface Rule {
  readonly allows: RegExp;
  /** How a right value looks. */
  readonly expected: string;
}

const RULES: Readonly<Record<keyof Defaults, Rule>> = {
  SERVER: {
    allows: /^https?:\/\/[^\s'"{}$\\]+$/,
    expected: "the collector's address, as https://collector.example.org:8443",
  },
  TOKEN: {
    allows: /^enroll-[\w-]+:[\w-]+$/,
    expected: 'an enrolment token as `launchbeat-collector tokens add` prints it, enroll-…:…',
  },
  KEYFILE: {
    allows: FULL_PATH,
    expected: 'the full path of a file, as \\\\server\\keys$\\%COMPUTERNAME%.key',
  },
  CA: {
    allows: new RegExp(`${FULL_PATH.source}|${FINGERPRINT.source}`, 'i'),
    expected: 'the full path of a PEM file on the PC or a share, or a SHA-256 fingerprint',
  },
  PROGRAMS: {
    allows: /^[\u0080-\uffffa-zA-Z0-9 ._\-+();,]+$/,
    expected:
      'file names such as winword.exe;excel.exe, or all (names with other signs: launchbeat.yml)',
  },
  SERVICEACCOUNT: { allows: /\S/, expected: 'NT SERVICE\\Launchbeat, LocalSystem or an account' },
};

const isName = (name: string): name is keyof Defaults => Object.hasOwn(RULES, name);

/** Throws with what was expected. */
export function msiDefaults(args: readonly string[]): Defaults {
  const pairs = args.map((arg) => {
    const [, name = '', value = ''] = /^(\w+)=(.*)$/s.exec(arg) ?? [];
    if (!isName(name))
      throw new Error(
        `${name || 'an argument'}: expected NAME=value with ${Object.keys(RULES).join(', ')}. A key is never built in: every PC has its own.`,
      );
    const { allows, expected } = RULES[name];
    const wrong = [...value].some(endsValue) || value.length >= VALUE_UNITS_MAX;
    if (value !== '' && (wrong || !allows.test(value)))
      throw new Error(
        `${name} must be ${expected}${name === 'TOKEN' ? '' : `; it is ${JSON.stringify(value)}`}.`,
      );
    return [name, value];
  });
  return Object.fromEntries(pairs) as Defaults;
}
