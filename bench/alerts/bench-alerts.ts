/**
 * The alerts' part of the bench: how many events a core looks at with 1, 10, 100 and 1,000 rules, each in a program of its own.
 */
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../tests/support/processes.ts';
import type { Part, PartOptions } from '../results.ts';
import { medianOfRounds } from '../rounds.ts';

const SCRIPT = fileURLToPath(new URL('assess-rate.ts', import.meta.url));

async function measureAssess(rules: number, events: number): Promise<{ eventsPerSecond: number }> {
  const end = await runProgram(process.execPath, [SCRIPT, String(rules), String(events)]);
  if (end.code !== 0) throw new Error(`${SCRIPT} ended with ${end.code}:\n${end.stderr}`);
  return JSON.parse(end.stdout) as { eventsPerSecond: number };
}

/** Measures it; the cost of one rule more stands in the details. */
export async function benchAlerts({ settings, say }: PartOptions): Promise<Part<'alerts'>> {
  const rateWith = async (rules: number) => {
    say(`assess with ${rules} rules`);
    return medianOfRounds(settings.rounds, () => measureAssess(rules, settings.assessEvents));
  };
  const assess = {
    rules1: await rateWith(1),
    rules10: await rateWith(10),
    rules100: await rateWith(100),
    rules1000: await rateWith(1_000),
  };
  const nanos = (rate: { eventsPerSecond: number }): number => 1e9 / rate.eventsPerSecond;
  return {
    figures: { assess },
    detail: { nanosPerRuleAndEvent: (nanos(assess.rules1000) - nanos(assess.rules10)) / 990 },
  };
}
