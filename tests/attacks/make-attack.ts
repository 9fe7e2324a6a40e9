/**
 * Makes one attack, and beside it good chunks of an agent that has nothing to do with it. Gives the figures and what was wrong.
 */
import type { Attack } from './attack.ts';
import type { AttackSite } from './site.ts';

export interface AttackFigures {
  readonly name: string;
  readonly tries: number;
  /** How often each answer came. */
  readonly answers: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly peakRssMiB: number;
  /** Good chunks beside it: how many, how many were told to come again, the slowest one taken. */
  readonly good: number;
  readonly goodLater: number;
  readonly goodSlowestMs: number;
  /** Empty = all as it should be. */
  readonly wrong: readonly string[];
}

const GOOD_EVERY_MS = 200;
/** Above this an attack has got through to memory: in_flight_bytes_max and what the runtime takes beside. */
export const RSS_MIB_MAX = 1024;

/** Tries so often; `share` of the attack's own number, at least four times. */
export async function makeAttack(
  site: AttackSite,
  attack: Attack,
  share: number,
): Promise<AttackFigures> {
  const tries = Math.max(4, Math.round(attack.tries * share));
  const bystander = site.agents.at(-1);
  if (bystander === undefined) throw new Error('The site has no agents.');
  site.memory();
  const startMs = performance.now();
  let running = true;
  const good: { readonly status: string; readonly ms: number }[] = [];
  const beside = (async () => {
    do {
      good.push(await site.sendGood(bystander));
      if (running) await new Promise((resolve) => setTimeout(resolve, GOOD_EVERY_MS));
    } while (running);
  })();
  const answers = await attack.run(site, tries);
  const seconds = (performance.now() - startMs) / 1000;
  running = false;
  await beside;
  const after = await goodAtLast(site, bystander);
  const counted = Object.fromEntries(
    [...Map.groupBy(answers, (one) => one)].map(([one, all]) => [one, all.length] as const).sort(),
  );
  const figures = {
    ...{ name: attack.name, tries, answers: counted, seconds },
    peakRssMiB: site.memory().peakMiB,
    good: good.length,
    goodLater: good.filter((one) => one.status !== '200').length,
    goodSlowestMs: Math.max(0, ...good.filter((one) => one.status === '200').map((one) => one.ms)),
  };
  return { ...figures, wrong: wrongIn(attack, share, { ...figures, wrong: [] }, [...good, after]) };
}

/** The agent that did nothing gets its chunk in when it is over, as an agent does: told to wait, it comes again. */
async function goodAtLast(site: AttackSite, agent: AttackSite['agents'][number]) {
  for (let tries = 0; ; tries += 1) {
    const last = await site.sendGood(agent);
    if (last.status === '200' || tries === 20) return { ...last, last: true };
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function wrongIn(
  attack: Attack,
  share: number,
  figures: AttackFigures,
  good: readonly { readonly status: string; readonly last?: boolean }[],
): string[] {
  const wrong = Object.keys(figures.answers)
    .filter((one) => !attack.right.includes(one))
    .map((one) => `answer ${one}`);
  for (const one of share < 1 ? [] : (attack.wanted ?? [])) {
    if (!(one in figures.answers)) wrong.push(`no answer ${one}`);
  }
  const bad = good.find((one) => !['200', '429', '503'].includes(one.status));
  if (bad !== undefined) wrong.push(`a good chunk was answered ${bad.status}`);
  if (good.at(-1)?.status !== '200') wrong.push('a good chunk was not taken afterwards');
  if (figures.peakRssMiB > RSS_MIB_MAX) wrong.push(`memory of ${figures.peakRssMiB} MiB`);
  return wrong;
}
