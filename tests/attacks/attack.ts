/**
 * What an attack is, and how many of its tries are made at once.
 */
import type { AttackAgent, AttackSite } from './site.ts';

export interface Attack {
  readonly name: string;
  /** Tries of a whole run; a test makes fewer. */
  readonly tries: number;
  /** Answers that may come. */
  readonly right: readonly string[];
  /** Those of which each must come, so that the limit was reached. */
  readonly wanted?: readonly string[];
  /** Ends only when the collector's patience does: a test makes these side by side. */
  readonly slow?: boolean;
  run(site: AttackSite, tries: number): Promise<readonly string[]>;
}

const AT_ONCE = 32;

/** So many at once, until all are done. */
export async function each(
  tries: number,
  one: (number: number) => Promise<string>,
  atOnce = AT_ONCE,
): Promise<string[]> {
  const answers: string[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(atOnce, tries) }, async () => {
      for (let number = next++; number < tries; number = next++) answers.push(await one(number));
    }),
  );
  return answers;
}

/** The agents of a site, one after the other. */
export const agentAt = (site: AttackSite, number: number): AttackAgent => {
  const agent = site.agents[number % site.agents.length];
  if (agent === undefined) throw new Error('The site has no agents.');
  return agent;
};
