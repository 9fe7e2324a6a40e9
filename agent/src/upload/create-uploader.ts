/**
 * Takes the spool folder, ships every whole line of it to the collector for as long as it runs.
 * Keeps: one loop, one request at a time, in order; woken by the writer, by the watch and by a slow timer.
 */
import { isIP } from 'node:net';
import type { Log, Metrics } from '@launchbeat/ecs-schemas/beat';
import type { AgentKey } from './agent-key.ts';
import { createBandwidth } from './bandwidth.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { createSkewWatch, type SkewWatch } from './clock-skew.ts';
import { createCompression } from './compress-chunk.ts';
import { failoverExchange } from './failover-exchange.ts';
import { type HttpExchange, openHttpExchange } from './http-exchange.ts';
import type { OutputConfig } from './output-config.ts';
import { type ProbeResult, probeCollectors } from './probe-collector.ts';
import { createShipChunk } from './ship-chunk.ts';
import { createShipping } from './ship-spool.ts';
import { type UploadCounts, zeroCounts } from './upload-counts.ts';
import { watchSpool } from './watch-spool.ts';

export interface UploaderOptions {
  readonly spoolFolder: string;
  /** Where the checkpoint lies. */
  readonly stateFolder: string;
  readonly config: OutputConfig;
  readonly agentId: string;
  /** The key in force; default: that of the config, for ever. */
  readonly key?: AgentKey;
  readonly log: Log;
  readonly clock?: Clock;
  /** Folder below which `quarantine/` lies; default the spool's. */
  readonly quarantineFolder?: string;
  /** Called with each reason that only a person can mend. */
  readonly onTrouble?: (reason: string) => void;
}

export interface Uploader {
  /** Ships until the signal aborts; resolves then, with the checkpoint on disk. Never rejects for want of a collector. */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Resolves when every whole line that the spool has now is with the collector or in quarantine, while run() runs; also
   * when the signal aborts.
   */
  drained(signal: AbortSignal): Promise<void>;
  /** Says that the spool has grown. */
  wake(): void;
  counts(): UploadCounts;
  /** The counts under `upload.*`. */
  metrics(): Metrics;
  probe(): Promise<ProbeResult>;
  close(): Promise<void>;
}

/** Opens the uploader; it neither connects nor reads before run() or probe(). Throws when a file of the config is missing. */
export function createUploader(options: UploaderOptions): Uploader {
  const { config, log, clock = SYSTEM_CLOCK } = options;
  warnOfWeakTransport(config, log);
  const skew = createSkewWatch(log);
  const collectors = config.url.map((url) => ({
    url,
    http: openHttpExchange(url, config, clock.nowMs, options.key),
  }));
  const http = watched(failoverExchange(collectors, log), { ...options, clock, skew });
  const counts = zeroCounts();
  const bell = createBell();
  const waiting = new Set<() => void>();

  return {
    async run(signal) {
      const compression = createCompression(config.encoding);
      const shipping = createShipping({
        ...options,
        clock,
        counts,
        compression,
        shipChunk: createShipChunk(http, compression.encoding),
      });
      const endWatch = watchSpool(options.spoolFolder, log, bell.ring);
      try {
        while (!signal.aborted) {
          // Both are taken before the look at the spool: what comes after it rings again, or waits for the next look.
          const rung = bell.next(signal);
          const satisfied = [...waiting];
          if ((await shipping.shipOne(signal)) === 'went_on') continue;
          for (const resolve of satisfied) resolve();
          await rung;
        }
        shipping.flush();
      } finally {
        await endWatch();
      }
    },
    async drained(signal) {
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          waiting.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        waiting.add(done);
        signal.addEventListener('abort', done);
        bell.ring();
      });
    },
    wake: bell.ring,
    counts: () => ({ ...counts }),
    metrics: () => ({
      'upload.chunks': counts.chunks,
      'upload.lines': counts.shippedLines,
      'upload.bytes': counts.shippedBytes,
      'upload.accepted': counts.accepted,
      'upload.duplicates': counts.duplicates,
      'upload.rejected': counts.rejected,
      'upload.quarantined_lines': counts.quarantinedLines,
      'upload.quarantined_chunks': counts.quarantinedChunks,
      'upload.corrupt_lines': counts.corruptLines,
      'upload.retries': counts.retries,
      ...(skew.lastMs() === undefined ? {} : { 'upload.clock_skew_ms': skew.lastMs() ?? 0 }),
    }),
    probe: () => probeCollectors(collectors, config, options.agentId),
    close: () => http.close(),
  };
}

/** The exchange with the bandwidth kept and the collector's clock looked at. */
function watched(
  http: HttpExchange,
  { config, clock, skew }: { config: OutputConfig; clock: Clock; skew: SkewWatch },
): HttpExchange {
  const take = createBandwidth(config.bandwidth_limit);
  return {
    async exchange(request, signal) {
      const delayMs = take(request.body?.length ?? 0, clock.nowMs());
      if (delayMs > 0) await clock.wait(delayMs, signal ?? new AbortController().signal);
      const answer = await http.exchange(request, signal);
      if (answer.outcome === 'answered' && answer.dateMs !== undefined) {
        skew.note(answer.dateMs, clock.nowMs());
      }
      return answer;
    },
    close: http.close,
  };
}

interface Bell {
  ring(): void;
  /** Resolves at the first ring after this call, or when the signal aborts. */
  next(signal: AbortSignal): Promise<void>;
}

function createBell(): Bell {
  let listener: (() => void) | undefined;
  return {
    ring: () => listener?.(),
    next: (signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done);
          resolve();
        };
        listener?.();
        listener = done;
        signal.addEventListener('abort', done);
      }),
  };
}

function warnOfWeakTransport(config: OutputConfig, log: Log): void {
  for (const url of config.url) {
    const { protocol, hostname } = new URL(url);
    const loopback =
      hostname === 'localhost' ||
      hostname === '[::1]' ||
      (isIP(hostname) === 4 && hostname.startsWith('127.'));
    if (protocol === 'http:' && !loopback)
      log.warn(
        { 'url.full': url },
        'Collector is addressed with http://: events and the key can be read on the way. Use https://.',
      );
    if (protocol === 'https:' && config.ssl.verification_mode === 'none')
      log.warn(
        { 'url.full': url },
        "Collector's certificate is not verified (ssl.verification_mode: none): anybody can take its place.",
      );
  }
}
