/**
 * bench/results.json: its form, and how the parts of one run go into it.
 * Keeps: a part that was not run keeps its figures only where machine, versions and commit are the same; else they are null.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { About } from './machine.ts';
import type { Settings } from './settings.ts';

/** null = not measured. */
const figure = z.number().nullable();
const per = <Key extends string>(...keys: Key[]) =>
  z.object(Object.fromEntries(keys.map((key) => [key, figure])) as Record<Key, typeof figure>);
const detail = z.record(z.string(), z.unknown());

const figuresSchema = z.object({
  agent: z.object({
    xmlToSpool: per('eventsPerSecond'),
    spoolToSink: per('cpuMicrosPerEvent', 'peerCpuMicrosPerEvent'),
    rssMiB: per('idle', 'at50PerSecond'),
    cpuPercent: per('idle', 'at50PerSecond'),
    backlog: per('rssMiB1k', 'rssMiB1M'),
  }),
  collector: z.object({
    /** Of about 1 kB, the size of the goal; and as the agent writes them, about 2.4 kB. */
    commit: per('eventsPerSecond', 'wholeDocumentsPerSecond'),
    bothStores: per('eventsPerSecond', 'loaderEventsPerSecond'),
    catchUp1000Agents: per('seconds', 'peakRssMiB'),
  }),
  alerts: z.object({
    assess: z.object({
      rules1: per('eventsPerSecond'),
      rules10: per('eventsPerSecond'),
      rules100: per('eventsPerSecond'),
      rules1000: per('eventsPerSecond'),
    }),
  }),
  latency: z.object({ eventToChat: per('p50Ms', 'p95Ms', 'p99Ms') }),
});

export const resultsSchema = figuresSchema.extend({
  about: z.object({
    machine: z.string(),
    versions: z.record(z.string(), z.string()),
    commit: z.string(),
    rounds: z.number(),
    /** When each part was measured, ISO 8601. */
    measured: z.record(z.string(), z.string()),
  }),
  /** What was measured beside the figures, by part. */
  detail: z.record(z.string(), detail),
});

export type AllFigures = z.infer<typeof figuresSchema>;
export type Results = z.infer<typeof resultsSchema>;
export type PartName = keyof AllFigures;
export const PARTS: readonly PartName[] = ['agent', 'collector', 'alerts', 'latency'];

/** What a part of the bench gives. */
export interface Part<Name extends PartName> {
  readonly figures: AllFigures[Name];
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What a part of the bench gets. */
export interface PartOptions {
  /** For its files; empty, and deleted afterwards. */
  readonly folder: string;
  readonly settings: Settings;
  /** Says what is being measured. */
  readonly say: (text: string) => void;
}

export const RESULTS_FILE = fileURLToPath(new URL('results.json', import.meta.url));

const none = (keys: readonly string[]): Record<string, null> =>
  Object.fromEntries(keys.map((key) => [key, null]));

/** Nothing measured yet. */
export function emptyFigures(): AllFigures {
  const rate = none(['eventsPerSecond']);
  return figuresSchema.parse({
    agent: {
      xmlToSpool: rate,
      spoolToSink: none(['cpuMicrosPerEvent', 'peerCpuMicrosPerEvent']),
      rssMiB: none(['idle', 'at50PerSecond']),
      cpuPercent: none(['idle', 'at50PerSecond']),
      backlog: none(['rssMiB1k', 'rssMiB1M']),
    },
    collector: {
      commit: none(['eventsPerSecond', 'wholeDocumentsPerSecond']),
      bothStores: none(['eventsPerSecond', 'loaderEventsPerSecond']),
      catchUp1000Agents: none(['seconds', 'peakRssMiB']),
    },
    alerts: { assess: { rules1: rate, rules10: rate, rules100: rate, rules1000: rate } },
    latency: { eventToChat: none(['p50Ms', 'p95Ms', 'p99Ms']) },
  });
}

/** What an earlier run left, if it belongs to the same machine, versions and commit; else nothing. */
export function beginResults(about: About, rounds: number, file = RESULTS_FILE): Results {
  const fresh = { ...emptyFigures(), about: { ...about, rounds, measured: {} }, detail: {} };
  if (!existsSync(file)) return fresh;
  const earlier = resultsSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!earlier.success) return fresh;
  const { machine, versions, commit } = earlier.data.about;
  const same =
    machine === about.machine &&
    commit === about.commit &&
    JSON.stringify(versions) === JSON.stringify(about.versions);
  return same ? { ...earlier.data, about: { ...earlier.data.about, rounds } } : fresh;
}

/** With a part's figures. */
export function withPart<Name extends PartName>(
  results: Results,
  name: Name,
  part: Part<Name>,
): Results {
  return {
    ...results,
    [name]: part.figures,
    about: {
      ...results.about,
      measured: { ...results.about.measured, [name]: new Date().toISOString() },
    },
    detail: { ...results.detail, [name]: part.detail },
  };
}

/** Rounded to four digits: more would only be noise. */
export function writeResults(results: Results, file = RESULTS_FILE): void {
  const text = JSON.stringify(
    results,
    (_, value: unknown) =>
      typeof value === 'number' && Number.isFinite(value) ? Number(value.toPrecision(4)) : value,
    2,
  );
  writeFileSync(file, `${text}\n`);
}

const NOT_MEASURED = { machine: 'none yet', versions: {}, commit: 'none', rounds: 0, measured: {} };

/** Reads and checks the file; without one nothing was measured. */
export function readResults(file = RESULTS_FILE): Results {
  if (!existsSync(file)) return { ...emptyFigures(), about: NOT_MEASURED, detail: {} };
  return resultsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}
