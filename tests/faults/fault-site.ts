/**
 * Declares the scenarios of the list: each opens a site, does its fault, lets the system come to rest, hears the oracle's verdict and
 * writes its figures down, whatever the verdict. `make test` runs those marked `short`, `make faults` all, LAUNCHBEAT_FAULTS_ONLY some.
 */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { FAULTS } from './fault-list.ts';
import type { Given } from './given-events.ts';
import { openSite, type Site, type SiteOptions } from './open-site.ts';
import { SEED } from './random.ts';
import { judge, type Verdict, type Window } from './verdict.ts';

const QUIET_TIMEOUT_MS = Number(process.env['LAUNCHBEAT_FAULTS_QUIET_SECONDS'] ?? 120) * 1000;
const TABLE = process.env['LAUNCHBEAT_FAULTS_TABLE'];
/** Numbers of scenarios, or `all`; absent: the short ones. */
const ONLY = process.env['LAUNCHBEAT_FAULTS_ONLY'] ?? (TABLE === undefined ? undefined : 'all');

export type { Site } from './open-site.ts';

export interface ScenarioOptions extends SiteOptions {
  /** Messages that the fault may double: an answer of Telegram that is lost. */
  readonly repeatedMax?: number;
  /** The fault loses these on purpose, and must say so. */
  readonly mayLose?: (given: readonly Given[]) => readonly string[];
  /** What the oracle looks at; default everything, so that what nobody gave is seen. */
  readonly window?: Window;
  /** Is in `make test` too. */
  readonly short?: boolean;
}

/** One row of the table. */
export interface Figures {
  readonly number: number;
  readonly name: string;
  readonly held: boolean;
  /** What broke; absent where it held. */
  readonly broke?: string;
  readonly given: number;
  readonly faults: number;
  readonly lost: number;
  readonly doubled: number;
  readonly repeatedMessages: number;
  readonly recoverSeconds: number;
}

/** Declares a way to do fault `number`; `name` says which; `fault` does its harm and mends what it broke. */
export function scenario(
  number: number,
  name: string,
  fault: (site: Site) => Promise<void>,
  options: ScenarioOptions = {},
): void {
  if (FAULTS[number] === undefined) throw new Error(`FAULTS has no number ${number}.`);
  const wanted =
    ONLY === undefined
      ? options.short === true
      : ONLY === 'all' || ONLY.split(',').includes(String(number));
  const skip = wanted ? false : 'in `make faults`';
  test(`fault ${number}: ${name}`, { skip }, (t) => run(t, { number, name, fault, options }));
}

interface Declared {
  readonly number: number;
  readonly name: string;
  readonly fault: (site: Site) => Promise<void>;
  readonly options: ScenarioOptions;
}

async function run(t: TestContext, { number, name, fault, options }: Declared): Promise<void> {
  const site = await openSite(t, number, options);
  let mendedMs = performance.now();
  /** The last look, be it good or bad. */
  let seen: Verdict | undefined;
  const write = (broke?: string): void => {
    const figures: Figures = {
      number,
      name,
      held: broke === undefined,
      ...(broke === undefined ? {} : { broke }),
      given: site.given.length,
      faults: site.faults(),
      lost: seen?.lost.length ?? 0,
      doubled: seen?.doubled.length ?? 0,
      repeatedMessages: seen?.repeated ?? 0,
      recoverSeconds: Math.round((performance.now() - mendedMs) / 100) / 10,
    };
    t.diagnostic(JSON.stringify({ ...figures, seed: SEED }));
    if (TABLE !== undefined) appendFileSync(TABLE, `${JSON.stringify(figures)}\n`);
  };
  const look = async (): Promise<Verdict> => {
    seen = await judge(site.given, site.stores, options.window);
    return seen;
  };
  try {
    await fault(site);
    mendedMs = performance.now();
    await quiet(site, options, look);
  } catch (error) {
    await look().catch(() => undefined);
    write((error as Error).message.split('\n')[0]?.slice(0, 160) ?? 'it failed');
    throw error;
  }
  write();
}

/** Waits until everything is there, then asks once more whether it is there once. */
async function quiet(
  site: Site,
  options: ScenarioOptions,
  look: () => Promise<Verdict>,
): Promise<void> {
  const check = async (): Promise<Verdict> => {
    const verdict = await look();
    // Asked each time: some faults know only afterwards what they have destroyed.
    const expectedLoss = options.mayLose?.(site.given) ?? [];
    const lost = verdict.lost.filter((mark) => !expectedLoss.includes(mark));
    assert.ok(lost.length === 0, `${lost.length} events are lost, ${lost[0]} first${said(site)}`);
    assert.ok(verdict.silent === 0, `${verdict.silent} alerts were not heard${said(site)}`);
    return verdict;
  };
  await eventually(check, { timeoutMs: QUIET_TIMEOUT_MS, intervalMs: 250 });
  const { doubled, changed, repeated } = await check();
  assert.ok(doubled.length === 0, `${doubled.length} events are there twice, ${doubled[0]} first`);
  assert.ok(changed.length === 0, `${changed.length} events came out changed, ${changed[0]} first`);
  const max = options.repeatedMax ?? 0;
  assert.ok(repeated <= max, `${repeated} messages came twice, at most ${max} may`);
}

const said = (site: Site): string =>
  `\nthe agent said: ${site.agent.stderr().slice(-2000)}\nthe collector: ${site.collector.stderr().slice(-2000)}`;
