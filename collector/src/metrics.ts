/**
 * Takes what the stages count, gives it in Prometheus' text format.
 * Keeps: a stage counts in plain numbers and knows nothing of Prometheus; one registry per app.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** A number that some stage keeps. */
export interface Watched {
  /** Behind the prefix `launchbeat_collector_`; a counter's name ends with `_total`. */
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  /** Its value now; of a counter, since the start. Several values where `label` says what they are by. */
  readonly read: () => number | Readonly<Record<string, number>>;
  readonly label?: string;
}

export interface MetricsRegistry {
  /** Adds numbers of a stage. */
  watch(numbers: readonly Watched[]): void;
  /** Counts an answer to POST /v1/chunks. `problem` is the last part of the problem's type, `none` for 200. */
  chunkAnswered(status: number, problem: string, seconds: number): void;
  /** How long a chunk was in a stage; waiting for its body and its turn belong to admit. */
  stageTook(stage: 'admit' | 'commit', seconds: number): void;
  /** From the reading of an event on its PC to its commit; of each chunk its newest event. */
  eventStored(seconds: number): void;
  /** From an event, by its PC's clock, to its message in a chat. */
  alertTold(seconds: number): void;
  /** What GET /metrics gives. */
  text(): Promise<string>;
  /** Content-Type of the text. */
  readonly contentType: string;
}

const PREFIX = 'launchbeat_collector_';
/** An event may have waited on its PC for days. */
const DELAY_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86_400];
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Makes an empty registry; with `process` also memory, CPU and event loop of this process. */
export function createMetrics(options: { readonly process: boolean }): MetricsRegistry {
  const registry = new Registry();
  if (options.process) collectDefaultMetrics({ register: registry });
  const answers = new Counter({
    name: `${PREFIX}chunk_answers_total`,
    help: 'Answers to POST /v1/chunks by status and problem.',
    labelNames: ['status', 'problem'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: `${PREFIX}chunk_seconds`,
    help: 'Time from the headers of a chunk to its answer 200.',
    buckets: SECONDS,
    registers: [registry],
  });
  const stages = new Histogram({
    name: `${PREFIX}stage_seconds`,
    help: 'Time that a chunk was in a stage, by stage.',
    labelNames: ['stage'],
    buckets: SECONDS,
    registers: [registry],
  });
  const stored = new Histogram({
    name: `${PREFIX}event_stored_seconds`,
    help: "From the reading of an event on its PC, by the PC's clock, to its commit; the newest event of each chunk.",
    buckets: DELAY_SECONDS,
    registers: [registry],
  });
  const told = new Histogram({
    name: `${PREFIX}event_told_seconds`,
    help: "From an event, by its PC's clock, to its message in a chat; messages that were kept back count too.",
    buckets: DELAY_SECONDS,
    registers: [registry],
  });
  return {
    alertTold: (elapsed) => told.observe(Math.max(0, elapsed)),
    stageTook: (stage, elapsed) => stages.observe({ stage }, elapsed),
    eventStored: (elapsed) => stored.observe(Math.max(0, elapsed)),
    contentType: registry.contentType,
    text: () => registry.metrics(),
    chunkAnswered(status, problem, elapsed) {
      answers.inc({ status, problem });
      if (status === 200) seconds.observe(elapsed);
    },
    watch(numbers) {
      for (const one of numbers) watch(registry, one);
    },
  };
}

function watch(registry: Registry, { name, help, kind, read, label }: Watched): void {
  const labelNames = label === undefined ? [] : [label];
  const about = { name: PREFIX + name, help, labelNames, registers: [registry] };
  const each = (write: (labels: Record<string, string>, value: number) => void): void => {
    const value = read();
    if (typeof value === 'number') write({}, value);
    else for (const [key, amount] of Object.entries(value)) write({ [label ?? 'of']: key }, amount);
  };
  if (kind === 'gauge') {
    new Gauge({
      ...about,
      collect() {
        each((labels, value) => this.set(labels, value));
      },
    });
  } else {
    // prom-client's counter can only rise: it is set by beginning anew.
    new Counter({
      ...about,
      collect() {
        this.reset();
        each((labels, value) => this.inc(labels, value));
      },
    });
  }
}
