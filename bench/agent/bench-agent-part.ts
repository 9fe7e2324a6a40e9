/**
 * The agent's part of the bench: all its rows, one after the other.
 */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeLines, writeXml } from '../event-lines.ts';
import type { Part, PartOptions } from '../results.ts';
import { medianOfRounds } from '../rounds.ts';
import { measureFootprint } from './footprint.ts';
import { findRsyslog, measureRsyslog } from './peer-rsyslog.ts';
import { measureSpoolToSink } from './spool-to-sink.ts';
import { measureXmlToSpool } from './xml-to-spool.ts';

const AGENT_ID = '6f1c1f5e-7d9d-4f3e-9d39-4c8f5a0d2b11';
const LINES = { namespace: 'default', agentId: AGENT_ID };

/** Measures it; gives figures under their keys and details beside. */
export async function benchAgent({ folder, settings, say }: PartOptions): Promise<Part<'agent'>> {
  const { rounds, agentEvents: events } = settings;
  const own = join(folder, 'agent');
  const xml = join(folder, 'events.xml.ndlines');
  const lines = join(folder, 'lines.ndjson');

  say(`${events} events as XML and as lines`);
  writeXml(xml, events);
  writeLines(lines, events, LINES);

  say('XML → spool');
  const lineBytes = statSync(lines).size;
  const xmlToSpool = await medianOfRounds(rounds, () =>
    measureXmlToSpool(own, xml, events, lineBytes),
  );

  const rsyslog = findRsyslog();
  say(
    `spool → sink${rsyslog === undefined ? '; no rsyslog with omelasticsearch here' : ', and rsyslog'}`,
  );
  const both = await medianOfRounds(rounds, async () => {
    const own_ = await measureSpoolToSink(own, lines, events);
    const peer =
      rsyslog === undefined
        ? undefined
        : await measureRsyslog(rsyslog, join(folder, 'rsyslog'), lines, events);
    return {
      ...prefixed('own', own_),
      ...(peer === undefined ? {} : prefixed('peer', peer)),
    };
  });

  say('footprint');
  const idle = await measureFootprint(own, 0, settings.watchSeconds);
  const at50 = await measureFootprint(own, 50, settings.watchSeconds);

  const [small, large] = settings.backlogLines;
  say(`backlog of ${small} and of ${large} lines`);
  const peakOf = async (count: number): Promise<number> => {
    writeLines(lines, count, LINES);
    const { peakRssMiB } = await measureSpoolToSink(own, lines, count);
    rmSync(lines);
    return peakRssMiB;
  };
  rmSync(lines);
  const rssMiB1k = await peakOf(small);
  const rssMiB1M = await peakOf(large);

  return {
    figures: {
      xmlToSpool: { eventsPerSecond: xmlToSpool.eventsPerSecond },
      spoolToSink: {
        cpuMicrosPerEvent: both['ownCpuMicrosPerEvent'] ?? null,
        peerCpuMicrosPerEvent: both['peerCpuMicrosPerEvent'] ?? null,
      },
      rssMiB: { idle: idle.rssMiB, at50PerSecond: at50.rssMiB },
      cpuPercent: { idle: idle.cpuPercent, at50PerSecond: at50.cpuPercent },
      backlog: { rssMiB1k, rssMiB1M },
    },
    detail: {
      xmlToSpool,
      spoolToSink: both,
      peer: rsyslog === undefined ? null : `rsyslog ${rsyslog.version}, omelasticsearch`,
      events,
    },
  };
}

function prefixed(
  prefix: string,
  figures: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [
      `${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`,
      value,
    ]),
  );
}
