/**
 * Takes the natural key of a Windows event, gives its `event.id`.
 * Keeps: the same record gives the same id whoever reads it (live, replay, .evtx), and ids sort by time.
 */
import { hash } from 'node:crypto';

/** What makes a Windows event the one that it is. */
export interface EventKey {
  /** `System/Computer` as logged; compared without case. */
  readonly computer: string;
  /** `System/Channel`, e.g. `Security`. */
  readonly channel: string;
  /** `System/Provider/@Guid`, with or without braces, in any case. */
  readonly providerGuid: string;
  /** `System/EventRecordID` in decimal. */
  readonly recordId: string;
  /** `System/TimeCreated/@SystemTime` in Unix milliseconds, cut (not rounded): readers print 3, 6, 7 or 9 digits. */
  readonly timeMs: number;
  /** `System/EventID` in decimal, e.g. `4688`. */
  readonly eventCode: string;
}

const TIME_BYTES = 6;
const TIME_MAX = 2 ** (TIME_BYTES * 8) - 1;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** 48 bits of time are eight whole characters, so that both parts of an id can be written each by itself. */
const TIME_CHARACTERS = 8;
/** Ten bytes of the digest: 13 whole characters and the upper two bits of one more. */
const DIGEST_CHARACTERS = 13;
const UPPER_TWO_BITS = 0b110000;

/** The form of every id: 16 bytes as base64url without padding. */
export const EVENT_ID_PATTERN = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/**
 * Makes the deterministic id: 6 bytes of time (big-endian) and 10 bytes of SHA-256, as base64url (22 characters).
 * The time stands first because Elasticsearch looks ids up faster when they rise.
 */
export function eventId(key: EventKey): string {
  return timedId(key.timeMs, [
    key.computer.toLowerCase(),
    key.channel,
    bareGuid(key.providerGuid),
    key.recordId,
    String(key.timeMs),
    key.eventCode,
  ]);
}

let lastGuid = '';
let lastBareGuid = '';

/** In lower case, without braces. Nearly every event is of one provider: the last one is remembered. */
function bareGuid(guid: string): string {
  if (guid !== lastGuid) {
    lastBareGuid = guid.toLowerCase().replace(/[{}]/g, '');
    lastGuid = guid;
  }
  return lastBareGuid;
}

/** The same form of id for whatever has a time (Unix milliseconds) and a key of its own. */
export function timedId(timeMs: number, key: readonly string[]): string {
  const digest = hash('sha256', key.join('\0'), 'base64url');
  const last = ALPHABET.indexOf(digest.charAt(DIGEST_CHARACTERS)) & UPPER_TWO_BITS;
  return timeCharacters(timeMs) + digest.slice(0, DIGEST_CHARACTERS) + ALPHABET.charAt(last);
}

/** Times that differ in their last two characters alone, four seconds of them, stand together: the rest is remembered. */
const LOWER_CHARACTERS = 2;
const LOWER_TIMES = ALPHABET.length ** LOWER_CHARACTERS;
let lastUpper = Number.NaN;
let lastUpperCharacters = '';

/** Big-endian, as base64url. Throws where six bytes do not hold it. */
function timeCharacters(timeMs: number): string {
  if (!Number.isSafeInteger(timeMs) || timeMs < 0 || timeMs > TIME_MAX)
    throw new RangeError(
      `Time of an event is ${timeMs}, not Unix milliseconds of ${TIME_BYTES} bytes.`,
    );
  const upper = Math.floor(timeMs / LOWER_TIMES);
  if (upper !== lastUpper) {
    lastUpperCharacters = characters(upper, TIME_CHARACTERS - LOWER_CHARACTERS);
    lastUpper = upper;
  }
  return lastUpperCharacters + characters(timeMs % LOWER_TIMES, LOWER_CHARACTERS);
}

/** The lowest `count` characters of a number as base64url. */
function characters(number: number, count: number): string {
  let rest = number;
  let text = '';
  for (let at = 0; at < count; at += 1) {
    text = ALPHABET.charAt(rest % ALPHABET.length) + text;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}

/** What a character of the alphabet stands for, by its code. */
const VALUE_OF_CODE = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, ALPHABET.indexOf(String.fromCharCode(code))),
);

/** Reads the time (Unix milliseconds) back out of an id that matches EVENT_ID_PATTERN. */
export function eventIdTimeMs(id: string): number {
  let timeMs = 0;
  for (let at = 0; at < TIME_CHARACTERS; at += 1) {
    timeMs = timeMs * ALPHABET.length + (VALUE_OF_CODE[id.charCodeAt(at)] ?? 0);
  }
  return timeMs;
}
