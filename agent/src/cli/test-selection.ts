/**
 * `launchbeat test selection FILE`: for each event of a file whether it would be shipped, and why not; a summary at the end.
 * Keeps: nothing is sent and nothing is written; it needs neither a collector nor a key. No secret of an event is printed.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type GlobalFlags, loadProgramConfig, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { captureConfigSchema } from '../capture/capture-config.ts';
import type { CapturedEvent } from '../capture/captured-event.ts';
import { openSource } from '../capture/open-source.ts';
import { AGENT_HOME_WITHOUT_OUTPUT, agentVersion } from '../config.ts';
import { createMapper, type Mapper } from '../map/create-mapper.ts';
import { parseEvent } from '../map/parse-event.ts';

export interface SelectionOptions {
  readonly flags: GlobalFlags;
  readonly isJson: boolean;
}

/** What becomes of one event. */
interface Verdict {
  readonly record_id?: string;
  readonly time?: string;
  readonly executable?: string;
  readonly outcome: 'shipped' | 'left_out' | 'refused';
  /** Why not, by the names of the counters `map.left_out.<reason>`; for a refused event a sentence. */
  readonly reason?: string;
  /** Path in the config of the processor that dropped it. */
  readonly processor?: string;
  readonly program?: string;
  readonly redacted?: number;
}

interface Summary {
  readonly events: number;
  readonly shipped: number;
  readonly left_out: Readonly<Record<string, number>>;
  readonly refused: number;
  /** Secrets that were redacted in shipped events. */
  readonly redacted: number;
}

function aboutEvent(event: CapturedEvent): Pick<Verdict, 'record_id' | 'time' | 'executable'> {
  const parsed = parseEvent(event.xml);
  if (parsed.outcome === 'refused') return {};
  const executable = parsed.event.data['NewProcessName'] ?? '';
  return {
    record_id: parsed.event.recordId,
    time: parsed.event.systemTime,
    ...(executable === '' ? {} : { executable }),
  };
}

function verdictOf(event: CapturedEvent, mapper: Mapper): Verdict {
  const mapped = mapper.map(event);
  const about = aboutEvent(event);
  switch (mapped.outcome) {
    case 'done': {
      const { program, redacted = 0 } = mapped.document.launchbeat;
      return {
        ...about,
        outcome: 'shipped',
        ...(program === undefined ? {} : { program }),
        redacted,
      };
    }
    case 'left_out':
      return {
        ...about,
        outcome: 'left_out',
        reason: mapped.reason,
        ...(mapped.place === undefined ? {} : { processor: mapped.place }),
      };
    case 'refused':
      return { ...about, outcome: 'refused', reason: mapped.reason };
  }
}

function summaryOf(): { add(verdict: Verdict): void; summary(): Summary } {
  const left = new Map<string, number>();
  const counts = { events: 0, shipped: 0, refused: 0, redacted: 0 };
  return {
    add(verdict) {
      counts.events += 1;
      counts.redacted += verdict.redacted ?? 0;
      if (verdict.outcome === 'shipped') counts.shipped += 1;
      else if (verdict.outcome === 'refused') counts.refused += 1;
      else {
        const reason = verdict.processor ?? verdict.reason ?? '';
        left.set(reason, (left.get(reason) ?? 0) + 1);
      }
    },
    summary: () => ({
      events: counts.events,
      shipped: counts.shipped,
      left_out: Object.fromEntries([...left].sort(([, a], [, b]) => b - a)),
      refused: counts.refused,
      redacted: counts.redacted,
    }),
  };
}

function verdictLine(verdict: Verdict): string {
  const what =
    verdict.outcome === 'shipped'
      ? `shipped${verdict.program === undefined ? '' : ` as ${verdict.program}`}${
          verdict.redacted ? `, ${verdict.redacted} redacted` : ''
        }`
      : `${verdict.outcome === 'refused' ? 'refused' : 'left out'}: ${verdict.processor ?? verdict.reason}`;
  return [verdict.record_id ?? '-', verdict.time ?? '-', verdict.executable ?? '-', what].join(
    '  ',
  );
}

function summaryLines(summary: Summary): string[] {
  const rows = Object.entries(summary.left_out).map(
    ([reason, count]) => `  ${String(count).padStart(8)}  left out: ${reason}`,
  );
  return [
    '',
    `${summary.events} events`,
    `  ${String(summary.shipped).padStart(8)}  shipped, with ${summary.redacted} secrets redacted`,
    ...rows,
    ...(summary.refused === 0 ? [] : [`  ${String(summary.refused).padStart(8)}  refused`]),
  ];
}

/** Prints what would become of each event. Throws where the file cannot be read. */
export async function testSelection(file: string, options: SelectionOptions): Promise<void> {
  const { config, paths } = loadProgramConfig(AGENT_HOME_WITHOUT_OUTPUT, options.flags);
  if (file !== '-' && !existsSync(file)) {
    throw new Error(
      `${file} is not there. Name a file of events (XML or .evtx), or - for standard input.`,
    );
  }
  // Marks are counted here, not shown: no key of the installation is needed.
  const mapper = createMapper({
    config,
    agent: {
      id: randomUUID(),
      name: config.name,
      version: agentVersion(),
      ephemeralId: randomUUID(),
    },
    namespace: config.namespace,
    ignoreOlderMs: config.capture.ignore_older,
  });
  const source = openSource(
    captureConfigSchema.parse({
      source: file.toLowerCase().endsWith('.evtx') ? 'evtx' : 'replay',
      files: [file],
    }),
    { log: SILENT_LOG, stdin: process.stdin, paths },
  );
  const { add, summary } = summaryOf();
  const say = (verdict: Verdict): void => {
    add(verdict);
    console.log(
      options.isJson ? JSON.stringify({ type: 'event', ...verdict }) : verdictLine(verdict),
    );
  };
  for await (const batch of source.batches(undefined, new AbortController().signal)) {
    for (const event of batch.events) say(verdictOf(event, mapper));
    for (const fact of batch.facts) {
      if (fact.kind !== 'unreadable') continue;
      say({ outcome: 'refused', reason: mapper.redact(`${fact.place}: ${fact.reason}`) });
    }
  }
  const total = summary();
  if (options.isJson) console.log(JSON.stringify({ type: 'summary', ...total }));
  else for (const line of summaryLines(total)) console.log(line);
}
