/**
 * Takes a captured event, gives its document, or the reason why there is none.
 * Keeps: pure but for the config it was made with; any text at all has an outcome; no document is longer than the wire takes.
 */
import { randomBytes } from 'node:crypto';
import { LIMIT, type ProcessStart, systemTimeMs } from '@launchbeat/ecs-schemas';
import type { CapturedEvent } from '../capture/captured-event.ts';
import { type Actor, actorOf, isSystemAccount, isSystemProcess } from './actor.ts';
import { isCanaryStart } from './canary-start.ts';
import { commonParts, type DocumentAgent, ecsDocument } from './ecs-document.ts';
import { flagsOf } from './flags.ts';
import { cutToJsonBytes, jsonBytes } from './json-bytes.ts';
import type { MapConfig } from './map-config.ts';
import { parseEvent, type WindowsEvent } from './parse-event.ts';
import { createProcessors } from './processors/run-processors.ts';
import { type ProgramPath, rememberPaths } from './program-path.ts';
import { createRedactor, type Redactor } from './redact/create-redactor.ts';
import { redactEvent } from './redact/redact-event.ts';
import { redactXml } from './redact/redact-xml.ts';
import { createRecogniser, type Recognised, type StartedImage } from './watched-programs.ts';
import { hasValue } from './windows-event.ts';
import { PROCESS_POLL, PROCESS_START_CODE, SECURITY_AUDITING } from './windows-names.ts';

/** Why an event is left out on purpose; counted by reason. */
export type LeftOutReason =
  | 'not_process_start'
  | 'too_old'
  | 'canary'
  | 'not_watched'
  | 'system_account'
  | 'helper_process'
  | 'processor';

export type MapOutcome =
  | { readonly outcome: 'done'; readonly document: ProcessStart; readonly watched: boolean }
  /** `place` is the path in the config of the processor that dropped it, `processors.0`; only with that reason. */
  | { readonly outcome: 'left_out'; readonly reason: LeftOutReason; readonly place?: string }
  /** The event cannot become a document; the reason says what is wrong with it. To be kept in quarantine. */
  | { readonly outcome: 'refused'; readonly reason: string };

export interface MapperOptions {
  readonly config: MapConfig;
  readonly agent: DocumentAgent;
  /** Namespace of the data stream. */
  readonly namespace: string;
  /** Key of the marks of redacted secrets; absent = one of this mapper alone, whose marks nothing can be joined with. */
  readonly redactionKey?: Uint8Array;
  /** Events that happened longer than this before they were read are left out; 0 (default) = none. */
  readonly ignoreOlderMs?: number;
}

export interface Mapper {
  map(event: CapturedEvent): MapOutcome;
  /** Redacts text of input that is to be kept as it came: broken XML, a torn line, what a reader complained of. */
  redact(text: string): string;
}

/** A command line stands in a document three times (as such, as arguments, as event data): each copy has its share of a line. */
const COMMAND_LINE_JSON_BYTES_MAX = 64 * 1024;
/** What the writer of the line adds. */
const LINE_MARGIN_BYTES = 1024;
/** No value grows past this from event to document: three copies, three bytes a UTF-16 unit, and keys. Shorter events need no look. */
const SHORT_EVENT_UNITS = 16 * 1024;
/** A mark may be longer than its secret; so many grow no document past its line. */
const FEW_REDACTED = 16;

const sameGuid = (one: string, other: string): boolean =>
  one.replace(/[{}]/g, '').toLowerCase() === other.replace(/[{}]/g, '').toLowerCase();

/** Whether process-poll found it, rather than Windows logged it. */
const isPolled = (event: WindowsEvent): boolean =>
  event.providerName === PROCESS_POLL.name && sameGuid(event.providerGuid, PROCESS_POLL.guid);

function isSystem(event: WindowsEvent, actor: Actor, polled: boolean): boolean {
  return polled ? isSystemProcess(actor, event.data['SessionId'] ?? '') : isSystemAccount(actor);
}

function isProcessStart(event: WindowsEvent): boolean {
  if (isPolled(event)) return true;
  if (event.eventId !== PROCESS_START_CODE) return false;
  const { providerGuid } = event;
  if (providerGuid === '') return event.providerName === SECURITY_AUDITING.name;
  return providerGuid === SECURITY_AUDITING.guid || sameGuid(providerGuid, SECURITY_AUDITING.guid);
}

/** What an event must have to get an id and to say anything, but for its time; undefined = it has all. */
function whatIsMissing(event: WindowsEvent): string | undefined {
  if (event.computer === '') return 'Event has no System/Computer.';
  if (event.channel === '') return 'Event has no System/Channel.';
  if (!/^\d{1,20}$/.test(event.recordId))
    return `System/EventRecordID is "${event.recordId.slice(0, 40)}", not a number.`;
  if (!hasValue(event.data, 'NewProcessName') && !hasValue(event.data, 'NewProcessId'))
    return 'EventData names no new process.';
  return undefined;
}

function imageOf(event: WindowsEvent, pathOf: (path: string) => ProgramPath): StartedImage {
  return {
    executable: pathOf(event.data['NewProcessName'] ?? ''),
    parentExecutable: pathOf(event.data['ParentProcessName'] ?? ''),
    commandLine: event.data['CommandLine'] ?? '',
    mandatoryLabel: event.data['MandatoryLabel'] ?? '',
  };
}

/** What is left out whatever the config selects. */
function noStart(isTooOld: boolean, image: StartedImage): LeftOutReason | undefined {
  if (isTooOld) return 'too_old';
  return isCanaryStart(image) ? 'canary' : undefined;
}

function leftOut(
  config: MapConfig,
  recognised: Recognised,
  system: boolean,
): LeftOutReason | undefined {
  if (config.select === 'watched' && recognised.program === undefined) return 'not_watched';
  if (config.exclude.system_accounts && system) return 'system_account';
  if (config.exclude.helper_processes && recognised.helper) return 'helper_process';
  return undefined;
}

/** Makes the mapper of one run of the agent. */
export function createMapper(options: MapperOptions): Mapper {
  const { config, ignoreOlderMs = 0 } = options;
  const common = commonParts(options.agent, options.namespace);
  const pathOf = rememberPaths();
  const recognise = createRecogniser(config.programs);
  const runProcessors = createProcessors(config.processors);
  const redactor: Redactor = createRedactor({
    config: config.redaction,
    key: options.redactionKey ?? randomBytes(32),
  });

  function document(captured: CapturedEvent, event: WindowsEvent, timeMs: number): MapOutcome {
    const actor = actorOf(event.data);
    const polled = isPolled(event);
    const system = isSystem(event, actor, polled);
    const image = imageOf(event, pathOf);
    const recognised = recognise(image);
    const isTooOld = ignoreOlderMs > 0 && timeMs < captured.readAtMs - ignoreOlderMs;
    const reason = noStart(isTooOld, image) ?? leftOut(config, recognised, system);
    if (reason !== undefined) return { outcome: 'left_out', reason };
    const clean = redactEvent(redactor, event);
    const whole = clean.event.data['CommandLine'] ?? '';
    const commandLine = cutToJsonBytes(whole, COMMAND_LINE_JSON_BYTES_MAX);
    const made = ecsDocument({
      event: clean.event,
      image,
      timeMs,
      readAtMs: captured.readAtMs,
      common,
      commandLine,
      commandLineLength: image.commandLine.length,
      decodedCommand: clean.decoded ?? '',
      redacted: clean.count,
      actor,
      program: recognised.program,
      launch: !system && !recognised.helper,
      polled,
      flags: flagsOf({
        ...image,
        tokenElevationType: event.data['TokenElevationType'] ?? '',
        cleaned: event.cleaned,
        truncated: commandLine.length < whole.length,
        polled,
      }),
    });
    const processed = runProcessors(made);
    if (processed.outcome === 'dropped')
      return { outcome: 'left_out', reason: 'processor', place: processed.place };
    if (
      (captured.xml.length > SHORT_EVENT_UNITS || clean.count > FEW_REDACTED) &&
      jsonBytes(processed.document) > LIMIT.lineBytesMax - LINE_MARGIN_BYTES
    ) {
      return { outcome: 'refused', reason: 'Document is longer than a line of the wire may be.' };
    }
    return {
      outcome: 'done',
      document: processed.document,
      watched: recognised.program !== undefined,
    };
  }

  const refused = (reason: string): MapOutcome => ({
    outcome: 'refused',
    reason: redactXml(redactor, reason).text,
  });

  return {
    redact: (text) => redactXml(redactor, text).text,
    map(captured) {
      const parsed = parseEvent(captured.xml);
      if (parsed.outcome === 'refused') return refused(parsed.reason);
      if (!isProcessStart(parsed.event))
        return { outcome: 'left_out', reason: 'not_process_start' };
      const missing = whatIsMissing(parsed.event);
      if (missing !== undefined) return refused(missing);
      const { systemTime } = parsed.event;
      const timeMs = systemTimeMs(systemTime);
      return timeMs === undefined
        ? refused(`TimeCreated/@SystemTime is "${systemTime.slice(0, 40)}", not a UTC time.`)
        : document(captured, parsed.event, timeMs);
    },
  };
}
