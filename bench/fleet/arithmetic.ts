/**
 * Takes what a fleet measured, gives the arithmetic to a hundred thousand PCs that stands in docs/scaling.md: no figure there is typed.
 */
import type { FleetFigures, FleetSizes } from './run-fleet.ts';

const PCS = 100_000;
const EVENTS_A_DAY = 2_000;
/** Of a day's events. */
const BUSIEST_HOUR_SHARE = 0.15;
const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;
const CHECK_IN_SECONDS = 60;
const RETENTION_DAYS = 90;
const ARCHIVE_DAYS = 7;
const CONNECTIONS_OF_AGENT = 2;
/** `http.connections_max`, by default. */
const CONNECTIONS_MAX = 5_000;
const LARGE_MACHINE_CORES = 32;

/** Three digits, thousands apart. */
export const write = (value: number): string =>
  Number(value.toPrecision(3)).toLocaleString('en-US');

const gigabytes = (bytes: number): string =>
  bytes >= 1e12 ? `${write(bytes / 1e12)} TB` : `${write(bytes / 1e9)} GB`;

/** What follows from the figures, as Markdown. */
export function arithmeticOf(sizes: FleetSizes, figures: FleetFigures): string {
  const { cpu, sent, storedBytes, trickled } = figures;
  const chunkMicros = (seconds: number): number => (seconds * 1e6) / trickled.chunks;
  const eventMicros = (seconds: number): number => (seconds * 1e6) / (sizes.agents * sizes.backlog);
  const chunk = {
    collector: chunkMicros(cpu.trickle.collector),
    postgres: chunkMicros(cpu.trickle.postgres),
  };
  const event = {
    collector: eventMicros(cpu.drain.collector),
    postgres: eventMicros(cpu.drain.postgres),
  };
  const aDay = PCS * EVENTS_A_DAY;
  const busiest = (aDay * BUSIEST_HOUR_SHARE) / HOUR_SECONDS;
  const cores = (micros: number): string => write((busiest * micros) / 1e6);
  const eventBytes = storedBytes.events / sent;
  const chunkBytes = storedBytes.chunks / sent;
  const rows: readonly (readonly [what: string, how: string, result: string])[] = [
    [
      'events',
      `${write(PCS)} × ${write(EVENTS_A_DAY)}`,
      `${write(aDay)} a day; ${write(aDay / DAY_SECONDS)} a second, ${write(busiest)} in the busiest hour`,
    ],
    [
      'chunks in that hour, each with one event (the worst)',
      'as events',
      `${write(busiest)} a second`,
    ],
    ['collectors for them', `× ${write(chunk.collector)} µs`, `${cores(chunk.collector)} cores`],
    ['PostgreSQL for them', `× ${write(chunk.postgres)} µs`, `${cores(chunk.postgres)} cores`],
    [
      'the same events in full chunks (after an outage)',
      `× ${write(event.collector)} and ${write(event.postgres)} µs`,
      `${cores(event.collector)} and ${cores(event.postgres)} cores`,
    ],
    [
      'check-ins',
      `${write(PCS)} a minute`,
      `${write(PCS / CHECK_IN_SECONDS)} transactions a second more; \`check_in.interval: 5m\` makes a fifth of it`,
    ],
    [
      'connections',
      `${CONNECTIONS_OF_AGENT} of each agent`,
      `${write(PCS * CONNECTIONS_OF_AGENT)}: \`http.connections_max\` is ${write(CONNECTIONS_MAX)}, so ${write((PCS * CONNECTIONS_OF_AGENT) / CONNECTIONS_MAX)} collectors with that bound, or a larger one`,
    ],
    [
      '`events` on disk',
      `${write(eventBytes)} bytes each`,
      `${gigabytes(aDay * eventBytes)} a day, ${gigabytes(aDay * eventBytes * RETENTION_DAYS)} in ${RETENTION_DAYS} days`,
    ],
    [
      `\`chunks\` for \`archive.retention\` ${ARCHIVE_DAYS} d`,
      `${write(chunkBytes)} bytes an event`,
      gigabytes(aDay * chunkBytes * ARCHIVE_DAYS),
    ],
  ];
  return [
    '| what | how | result |',
    '|---|---|---|',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
    `Collectors need ${write(chunk.collector / chunk.postgres)} times the CPU of PostgreSQL, and can stand elsewhere. A PostgreSQL of ${LARGE_MACHINE_CORES} cores carries about`,
    `${write((LARGE_MACHINE_CORES * 1e6) / chunk.postgres)} chunks of one event a second, if CPU is all that counts.`,
    '',
  ].join('\n');
}
