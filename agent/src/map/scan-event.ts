/**
 * Takes one event as Windows prints it (EvtRender), gives its parts; undefined for every other text, which the XML parser then reads.
 * Keeps: what it gives is what the parser would give, to the last character (same-parts.test.ts). So it knows one shape only: the
 * elements of System in Windows' order, Data with a Name, the five entities, no control characters; anything else it leaves alone.
 * It is there for speed: about a tenth of the parser's time.
 */
import type { WindowsEvent } from './windows-event.ts';

/** Control characters (white space that XML normalises among them), references by number, the end of a CDATA section. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are what is looked for.
const UNUSUAL = /[\0-\x1f\ufffe\uffff]|&#|\]\]>/;
const HEAD = new RegExp(
  [
    "^<Event xmlns='http://schemas\\.microsoft\\.com/win/2004/08/events/event'><System>",
    "<Provider Name='(?<providerName>[^'&<]*)' Guid='(?<providerGuid>[^'&<]*)'/>",
    '<EventID>(?<eventId>\\d+)</EventID><Version>(?<version>\\d+)</Version><Level>\\d+</Level>',
    '<Task>(?<task>\\d+)</Task><Opcode>(?<opcode>\\d+)</Opcode>',
    '<Keywords>(?<keywords>0x[0-9a-fA-F]+)</Keywords>',
    "<TimeCreated SystemTime='(?<systemTime>[^'&<]*)'/>",
    '<EventRecordID>(?<recordId>\\d+)</EventRecordID>',
    "<Correlation(?: ActivityID='(?<activityId>[^'&<]*)')?/>",
    "<Execution ProcessID='(?<processId>\\d+)' ThreadID='(?<threadId>\\d+)'/>",
    '<Channel>(?<channel>[^&<]*)</Channel><Computer>(?<computer>[^&<]*)</Computer><Security/>',
    '</System><EventData>',
  ].join(''),
);
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
function scanData(xml: string, start: number): Map<string, string> | undefined {
  const data = new Map<string, string>();
  let at = start;
  for (let values = 0; xml.startsWith(DATA, at); values += 1) {
    const value = values === VALUES_MAX ? undefined : scanValue(xml, at);
    if (value === undefined) return undefined;
    if (value.text !== '' && !data.has(value.name)) data.set(value.name, value.text);
    at = value.end;
  }
  return xml.startsWith(END, at) && at + END.length === xml.length ? data : undefined;
}

/** Values without a name of their own are numbered by the parser. */
const isPlainName = (name: string): boolean =>
  name !== '' && name !== 'Data' && !name.includes('<') && !name.includes('&');

/** Reads an event of the one shape that it knows. */
export function scanEvent(xml: string): WindowsEvent | undefined {
  if (UNUSUAL.test(xml) || !xml.isWellFormed()) return undefined;
  const head = HEAD.exec(xml);
  const part = head?.groups;
  if (head === null || part === undefined) return undefined;
  const of = (name: string): string => part[name] ?? '';
  const data = scanData(xml, head[0].length);
  if (data === undefined) return undefined;
  return {
    providerName: of('providerName'),
    providerGuid: of('providerGuid'),
    eventId: of('eventId'),
    version: of('version'),
    task: of('task'),
    opcode: of('opcode'),
    keywords: of('keywords'),
    systemTime: of('systemTime'),
    recordId: of('recordId'),
    activityId: of('activityId'),
    relatedActivityId: '',
    execution: { ProcessID: of('processId'), ThreadID: of('threadId') },
    channel: of('channel').trim(),
    computer: of('computer').trim(),
    userId: '',
    data,
    message: '',
    cleaned: false,
  };
}
