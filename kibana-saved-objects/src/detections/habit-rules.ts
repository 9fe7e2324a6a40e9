/**
 * Gives the rules that hold a start against what was before or elsewhere: many PCs of one person, and what a person never ran.
 */
import { BY_PEOPLE } from '../dashboards/questions.ts';
import { TECHNIQUES } from './attack.ts';
import type { RuleParts } from './rule-parts.ts';

const PCS_MIN = 5;

/** Only administrators write there, so that what is new in them was installed. Windows spells these names itself. */
const INSTALLED = String.raw`*\:\\Windows\\* or *\:\\Program Files*`;

export const HABIT_RULES: readonly RuleParts[] = [
  {
    key: 'one-person-many-pcs',
    mirrors: 'one-user-many-pcs',
    name: 'One person on many PCs',
    description: `Within about an hour, programs of one person were started on at least ${PCS_MIN} PCs.`,
    query: BY_PEOPLE,
    severity: 'medium',
    techniques: [TECHNIQUES.remoteServices, TECHNIQUES.domainAccounts],
    everyday: 'Administrators and software distribution: add their accounts as exceptions.',
    investigate: [
      'Open **People and PCs** with the person as a filter: what was started on each PC, and by what parent?',
      'wsmprovhost.exe, WmiPrvSE.exe, PSEXESVC.exe or services.exe as a parent say that it came from another PC.',
      'Did the person know? If not, lock the account and change the password.',
    ],
    threshold: {
      fields: ['launchbeat.actor.id', 'launchbeat.actor.name'],
      starts: PCS_MIN,
      different: { field: 'host.name', values: PCS_MIN },
    },
  },
  {
    key: 'first-start-by-person',
    mirrors: 'new-program-for-user',
    name: 'First start of a program by a person',
    description:
      'A person started a program outside of the folders of Windows and of installed programs, and had not started it in the 14 days before.',
    query: `${BY_PEOPLE} and not process.executable : (${INSTALLED})`,
    severity: 'low',
    techniques: [TECHNIQUES.maliciousFile],
    everyday:
      'New employees, updates that change the path, portable programs. The first two weeks after the agents came it finds nearly everything: enable it afterwards.',
    investigate: [
      'Do others run it? Search for `process.executable` over a month.',
      'Where did the file come from: look for a browser, a mail program or an archiver started just before on this PC.',
      'Fetch the file and look at its signature and hash; event 4688 has neither.',
    ],
    newTerms: { fields: ['launchbeat.actor.id', 'process.executable'], since: 'now-14d' },
  },
];
