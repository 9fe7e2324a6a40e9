/**
 * Takes one event as Windows prints it (EvtRender), gives its parts; undefined for every other text, which the XML parser then reads.
 * Keeps: what it gives is what the parser would give, to the last character (same-parts.test.ts). So it knows one shape only: the
 * elements of System in Windows' order, Data with a Name, the five entities, no control characters; anything else it leaves alone.
 * It is there for speed: about a tenth of the parser's time.
 */
import { type EventData, noData, type WindowsEvent } from './windows-event.ts';

/** Control characters (white space that XML normalises among them), references by number, the end of a CDATA section. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are what is looked for.
const UNUSUAL = /[\0-\x1f\ufffe\uffff]|&#|\]\]>/;
/**
 * System up to EventData; `text` is a class of what a value may hold. Groups in the order of eventOf(): numbered, since an object of
 * named groups costs as much as the search.
 */
const headOf = (attribute: string, text: string): string =>
  [
    "^<Event xmlns='http://schemas\\.microsoft\\.com/win/2004/08/events/event'><System>",
    `<Provider Name='(${attribute})' Guid='(${attribute})'/>`,
    '<EventID>(\\d+)</EventID><Version>(\\d+)</Version><Level>\\d+</Level>',
    '<Task>(\\d+)</Task><Opcode>(\\d+)</Opcode>',
    '<Keywords>(0x[0-9a-fA-F]+)</Keywords>',
    `<TimeCreated SystemTime='(${attribute})'/>`,
    '<EventRecordID>(\\d+)</EventRecordID>',
    `<Correlation(?: ActivityID='(${attribute})')?/>`,
    "<Execution ProcessID='(\\d+)' ThreadID='(\\d+)'/>",
    `<Channel>(${text})</Channel><Computer>(${text})</Computer><Security/>`,
    '</System><EventData>',
  ].join('');
const HEAD = new RegExp(headOf("[^'&<]*", '[^&<]*'));
const HEAD_GROUPS = 14;

/**
 * EventData of 4688 since Windows 10, in its order: nearly every event is of this shape, and one look takes it apart. `found` has the
 * groups of USUAL: behind the HEAD_GROUPS one for each value.
 */
function usualData(found: readonly string[]): EventData {
  return {
    SubjectUserSid: found[15] ?? '',
    SubjectUserName: found[16] ?? '',
    SubjectDomainName: found[17] ?? '',
    SubjectLogonId: found[18] ?? '',
    NewProcessId: found[19] ?? '',
    NewProcessName: found[20] ?? '',
    TokenElevationType: found[21] ?? '',
    ProcessId: found[22] ?? '',
    CommandLine: found[23] ?? '',
    TargetUserSid: found[24] ?? '',
    TargetUserName: found[25] ?? '',
    TargetDomainName: found[26] ?? '',
    TargetLogonId: found[27] ?? '',
    ParentProcessName: found[28] ?? '',
    MandatoryLabel: found[29] ?? '',
  };
}
const USUAL_NAMES = Object.keys(usualData([]));
/** What UNUSUAL names, and surrogates, whether they are lone or not: no value of the usual shape has them. */
const NOT_USUAL = '\\0-\\x1f\\ud800-\\udfff\\ufffe\\uffff';
const USUAL = new RegExp(
  [
    headOf(`[^'&<${NOT_USUAL}]*`, `[^&<${NOT_USUAL}]*`),
    ...USUAL_NAMES.map((name) => `<Data Name='${name}'>([^<${NOT_USUAL}]*)</Data>`),
    '</EventData></Event>$',
  ].join(''),
);
const CDATA_END = ']]>';
const DATA = "<Data Name='";
const DATA_END = '</Data>';
const END = '</EventData></Event>';
/** Fewer than the parser's bound on elements, which is not reached then. */
const VALUES_MAX = 200;

const ENTITY = /&([a-z]*;?)/g;
const ENTITIES: Readonly<Record<string, string>> = {
  'amp;': '&',
  'lt;': '<',
  'gt;': '>',
  'quot;': '"',
  'apos;': "'",
};

/** The text with its entities resolved; undefined where one is not XML's. */
function plainText(text: string): string | undefined {
  if (!text.includes('&')) return text;
  let known = true;
  const plain = text.replace(ENTITY, (_, name: string) => {
    const character = ENTITIES[name];
    if (character === undefined) known = false;
    return character ?? '';
  });
  return known ? plain : undefined;
}

/** One `<Data>` of EventData and where the next one begins; undefined where it has another shape. */
interface ScannedValue {
  readonly name: string;
  readonly text: string;
  readonly end: number;
}

function scanValue(xml: string, at: number): ScannedValue | undefined {
  const nameEnd = xml.indexOf("'", at + DATA.length);
  const name = xml.slice(at + DATA.length, nameEnd);
  if (nameEnd === -1 || !isPlainName(name)) return undefined;
  if (xml.startsWith("'/>", nameEnd)) return { name, text: '', end: nameEnd + 3 };
  const textStart = nameEnd + 2;
  const textEnd = xml.indexOf('<', textStart);
  if (xml[nameEnd + 1] !== '>' || !xml.startsWith(DATA_END, textEnd)) return undefined;
  const text = plainText(xml.slice(textStart, textEnd));
  return text === undefined ? undefined : { name, text, end: textEnd + DATA_END.length };
}

/** EventData from `start` to the end of the event. */
function scanData(xml: string, start: number): EventData | undefined {
  const data = noData();
  let at = start;
  for (let values = 0; xml.startsWith(DATA, at); values += 1) {
    const value = values === VALUES_MAX ? undefined : scanValue(xml, at);
    if (value === undefined) return undefined;
    if (value.text !== '') data[value.name] ??= value.text;
    at = value.end;
  }
  return xml.startsWith(END, at) && at + END.length === xml.length ? data : undefined;
}

/** Values without a name of their own are numbered by the parser. */
const isPlainName = (name: string): boolean =>
  name !== '' && name !== 'Data' && !name.includes('<') && !name.includes('&');

/** An event with the usual values; undefined for any other. */
function scanUsual(xml: string): WindowsEvent | undefined {
  const found = USUAL.exec(xml);
  if (found === null || xml.includes(CDATA_END)) return undefined;
  if (xml.includes('&')) {
    for (let group = HEAD_GROUPS + 1; group < found.length; group += 1) {
      const text = plainText(found[group] ?? '');
      if (text === undefined) return undefined;
      found[group] = text;
    }
  }
  return eventOf(found, usualData(found));
}

/** Reads an event of the one shape that it knows. */
export function scanEvent(xml: string): WindowsEvent | undefined {
  return scanUsual(xml) ?? scanAny(xml);
}

/** With any values. */
function scanAny(xml: string): WindowsEvent | undefined {
  if (UNUSUAL.test(xml) || !xml.isWellFormed()) return undefined;
  const head = HEAD.exec(xml);
  if (head === null) return undefined;
  const data = scanData(xml, head[0].length);
  return data === undefined ? undefined : eventOf(head, data);
}

/** `head` has the groups of headOf(). */
function eventOf(head: RegExpExecArray, data: EventData): WindowsEvent {
  return {
    providerName: head[1] ?? '',
    providerGuid: head[2] ?? '',
    eventId: head[3] ?? '',
    version: head[4] ?? '',
    task: head[5] ?? '',
    opcode: head[6] ?? '',
    keywords: head[7] ?? '',
    systemTime: head[8] ?? '',
    recordId: head[9] ?? '',
    activityId: head[10] ?? '',
    relatedActivityId: '',
    execution: { ProcessID: head[11] ?? '', ThreadID: head[12] ?? '' },
    channel: (head[13] ?? '').trim(),
    computer: (head[14] ?? '').trim(),
    userId: '',
    data,
    message: '',
    cleaned: false,
  };
}
