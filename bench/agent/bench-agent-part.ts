/**
 * The agent's part of the bench: all its rows, one after the other.
 */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeLines, writeXml } from '../event-lines.ts';
import { profileOf } from '../profile-shares.ts';
import type { Part, PartOptions } from '../results.ts';
import { medianOfRounds } from '../rounds.ts';
import { measureFootprint } from './footprint.ts';
import { measurePeer } from './peer.ts';
import { findFilebeat } from './peer-filebeat.ts';
import { findOtelcol } from './peer-otelcol.ts';
import { findRsyslog } from './peer-rsyslog.ts';
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
  const file = { path: xml, events, lineBytes: statSync(lines).size };
  const xmlToSpool = await medianOfRounds(rounds, () => measureXmlToSpool(own, file));
  say('XML → spool, as on a PC');
  const onAPc = await medianOfRounds(rounds, () => measureXmlToSpool(own, file, true));
  say('XML → spool, profile');
  const profile = await profileOf('agent', join(folder, 'profile'), () =>
    measureXmlToSpool(own, file),
  );

  const rsyslog = findRsyslog();
  // In the same rounds as ours, so that a machine that drifts drifts for all.
  const others = [findFilebeat(), findOtelcol()].filter((peer) => peer !== undefined);
  const peers = [rsyslog, ...others].filter((peer) => peer !== undefined);
  say(`spool → sink; peers: ${peers.map((peer) => peer.name).join(', ') || 'none here'}`);
  const both = await medianOfRounds(rounds, async () => {
    const figures = { ...prefixed('own', await measureSpoolToSink(own, lines, events)) };
    for (const peer of peers) {
      const shipping = await measurePeer(peer, join(folder, 'peer'), { file: lines, events });
      Object.assign(figures, prefixed(peer === rsyslog ? 'peer' : peer.name, shipping));
    }
    return figures;
  });

  say('footprint');
  const idle = await measureFootprint(own, 0, settings.watchSeconds);
  const at50 = await measureFootprint(own, 50, settings.watchSeconds);

  const [small, large] = settings.backlogLines;
  say(`backlog of ${small} and of ${large} lines`);
  const peakOf = async (count: number): Promise<number> => {
    writeLines(lines, count, LINES);
    const { peakRssMiB } = await measureSpoolToSink(own, lines, count, true);
    rmSync(lines);
    return peakRssMiB;
  };
  rmSync(lines);
  const rssMiB1k = await peakOf(small);
  const rssMiB1M = await peakOf(large);
  const more = settings.moreBacklogLines;
  if (more !== undefined) say(`backlog of ${more} lines`);
  const moreBacklog = more === undefined ? null : { lines: more, rssMiB: await peakOf(more) };

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
      xmlToSpoolOnAPc: onAPc,
      xmlToSpoolProfile: profile,
      spoolToSink: both,
      moreBacklog,
      peer: rsyslog === undefined ? null : `rsyslog ${rsyslog.version}, omelasticsearch`,
      otherPeers: Object.fromEntries(
        others.map(({ name, version }) => [
          `${name} ${version}`,
          both[`${name}CpuMicrosPerEvent`] ?? null,
        ]),
      ),
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
