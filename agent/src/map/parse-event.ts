/**
 * Takes one `<Event>` as XML, gives its parts as text, by Microsoft's event schema (System, EventData, RenderingInfo).
 * Keeps: bounded in size, depth and values; DTDs are refused, so no entity but XML's five can stand in it. Characters that XML 1.0
 * forbids, which Windows lets through, are removed and reported.
 */
import { SaxesParser } from 'saxes';
import { cleanXml } from './clean-xml.ts';
import { scanEvent } from './scan-event.ts';
import { noData, type WindowsEvent } from './windows-event.ts';

export type { WindowsEvent } from './windows-event.ts';

export type ParseOutcome =
  | { readonly outcome: 'done'; readonly event: WindowsEvent }
  | { readonly outcome: 'refused'; readonly reason: string };

/** The longest event that is parsed, in UTF-16 units; capture holds the same bound. */
const XML_UNITS_MAX = 2 * 1024 * 1024;
const DEPTH_MAX = 16;
const VALUES_MAX = 256;

class NotAnEvent extends Error {}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);
const lfOnly = (text: string): string =>
  text.includes('\r') ? text.replaceAll('\r\n', '\n') : text;

/** Collects what the parser finds. Paths are local names joined by '/'. */
class EventReader {
  readonly texts = new Map<string, string>();
  readonly attributes = new Map<string, Readonly<Record<string, string>>>();
  readonly data = noData();
  readonly #path: string[] = [];
  #text = '';
  #dataName = '';
  #dataIndex = 0;
  #values = 0;

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#path.push(localName(name));
    if (this.#path.length > DEPTH_MAX) throw new NotAnEvent('Elements are nested too deep.');
    this.#values += 1;
    if (this.#values > VALUES_MAX) throw new NotAnEvent('It has too many elements.');
    if (this.#path.length === 1 && this.#path[0] !== 'Event')
      throw new NotAnEvent(`Root element is <${this.#path[0]}>, not <Event>.`);
    this.#text = '';
    const path = this.#path.join('/');
    if (path === 'Event/EventData/Data') {
      this.#dataIndex += 1;
      const given = attributes['Name'] ?? '';
      // Winlogbeat's rule for values without a name of their own.
      this.#dataName = given === '' || given === 'Data' ? `param${this.#dataIndex}` : given;
    } else if (!this.attributes.has(path)) {
      this.attributes.set(path, attributes);
    }
  }

  text(text: string): void {
    this.#text += text;
  }

  close(): void {
    const path = this.#path.join('/');
    if (path === 'Event/EventData/Data') {
      if (this.#text !== '') this.data[this.#dataName] ??= lfOnly(this.#text);
    } else if (!this.texts.has(path)) {
      this.texts.set(path, this.#text);
    }
    this.#path.pop();
    this.#text = '';
  }
}

function read(xml: string): EventReader {
  const reader = new EventReader();
  const parser = new SaxesParser<{ position: false; xmlns: false }>({
    position: false,
    xmlns: false,
  });
  parser.on('opentag', (tag) => reader.open(tag.name, tag.attributes));
  parser.on('text', (text) => reader.text(text));
  parser.on('cdata', (text) => reader.text(text));
  parser.on('closetag', () => reader.close());
  parser.on('doctype', () => {
    throw new NotAnEvent('It has a DTD, which no event has.');
  });
  parser.on('error', (error) => {
    // The parser's own words, without the name that it repeats: that is a piece of the input.
    throw new NotAnEvent(`XML is broken: ${error.message.replace(/: .*$/s, '.')}`);
  });
  parser.write(xml).close();
  return reader;
}

function eventOf(reader: EventReader, cleaned: boolean): WindowsEvent {
  const system = (name: string): string => (reader.texts.get(`Event/System/${name}`) ?? '').trim();
  const attributes = (name: string): Readonly<Record<string, string>> =>
    reader.attributes.get(`Event/System/${name}`) ?? {};
  const correlation = attributes('Correlation');
  return {
    providerName: attributes('Provider')['Name'] ?? '',
    providerGuid: attributes('Provider')['Guid'] ?? '',
    eventId: system('EventID'),
    version: system('Version'),
    task: system('Task'),
    opcode: system('Opcode'),
    keywords: system('Keywords'),
    systemTime: attributes('TimeCreated')['SystemTime'] ?? '',
    recordId: system('EventRecordID'),
    activityId: correlation['ActivityID'] ?? '',
    relatedActivityId: correlation['RelatedActivityID'] ?? '',
    execution: attributes('Execution'),
    channel: system('Channel'),
    computer: system('Computer'),
    userId: attributes('Security')['UserID'] ?? '',
    data: reader.data,
    message: lfOnly(reader.texts.get('Event/RenderingInfo/Message') ?? '').trim(),
    cleaned,
  };
}

/** Parses one event. Any text at all is taken; what is no event comes back as refused with the reason. */
export function parseEvent(xml: string): ParseOutcome {
  if (xml.length > XML_UNITS_MAX) {
    return { outcome: 'refused', reason: `Event is longer than ${XML_UNITS_MAX} characters.` };
  }
  const scanned = scanEvent(xml);
  return scanned === undefined ? parseAnyEvent(xml) : { outcome: 'done', event: scanned };
}

/** The whole way, with the XML parser. */
export function parseAnyEvent(xml: string): ParseOutcome {
  const clean = cleanXml(xml);
  try {
    return { outcome: 'done', event: eventOf(read(clean.xml), clean.removed > 0) };
  } catch (error) {
    if (error instanceof NotAnEvent) return { outcome: 'refused', reason: error.message };
    throw error;
  }
}
