/**
 * Takes EventData, gives who started the process and whether that is a person.
 * Source: 1,352 real events: an elevated start has the computer as Subject and the person as Target, and in most events with a
 * Target its SID is S-1-0-0. So the name decides, never the SID.
 */
import type { EventData } from './windows-event.ts';
import { fold } from './windows-names.ts';

/** An account as the event names it; a part that is absent or "-" is left out. */
export interface Actor {
  readonly id?: string;
  readonly name?: string;
  readonly domain?: string;
  /** Logon session in hex, `0x3e7`. */
  readonly logonId: string;
}

interface NamedAccount {
  readonly name: string;
  readonly domain: string;
}

const NOBODY_SID = 'S-1-0-0';

/** An EventData value; '' where it is absent or "-", which Windows prints for "none". */
export function dataValue(data: EventData, name: string): string {
  const value = data[name] ?? '';
  return value === '-' ? '' : value;
}

const isSame = (a: NamedAccount, b: NamedAccount): boolean =>
  fold(a.name) === fold(b.name) && fold(a.domain) === fold(b.domain);

/** Who started it: Target where its name is set and not "-", else Subject. */
export function actorOf(data: EventData): Actor {
  const subject = {
    id: dataValue(data, 'SubjectUserSid'),
    name: dataValue(data, 'SubjectUserName'),
    domain: dataValue(data, 'SubjectDomainName'),
    logonId: dataValue(data, 'SubjectLogonId'),
  };
  const target = {
    id: dataValue(data, 'TargetUserSid'),
    name: dataValue(data, 'TargetUserName'),
    domain: dataValue(data, 'TargetDomainName'),
    logonId: dataValue(data, 'TargetLogonId'),
  };
  const actor = target.name === '' ? subject : target;
  // S-1-0-0 as Target says that the SID was not asked for; the Subject's is known and may be the same account's.
  const id = actor.id === NOBODY_SID && isSame(target, subject) ? subject.id : actor.id;
  return {
    ...(id === '' || id === NOBODY_SID ? {} : { id }),
    ...(actor.name === '' ? {} : { name: actor.name }),
    ...(actor.domain === '' ? {} : { domain: actor.domain }),
    logonId: actor.logonId,
  };
}

/** SYSTEM, LOCAL SERVICE, NETWORK SERVICE; service, IIS, virtual machine, window manager and font driver accounts. */
const SYSTEM_SID = /^S-1-5-(?:18|19|20|(?:80|82|83|90|96)-.*)$/i;
/** Logon sessions of SYSTEM, NETWORK SERVICE and LOCAL SERVICE: the same on every Windows, in every language. */
const SYSTEM_LOGONS = new Set(['0x3e7', '0x3e4', '0x3e5']);
const SYSTEM_NAME = /^(?:(?:DWM|UMFD)-\d+|.*\$)$/is;

/** Whether an account is the system's own rather than a person's. An actor without a name and SID is nobody, so the system. */
export function isSystemAccount(actor: Actor): boolean {
  if (actor.name === undefined && actor.id === undefined) return true;
  return (
    SYSTEM_SID.test(actor.id ?? '') ||
    SYSTEM_LOGONS.has(actor.logonId.toLowerCase()) ||
    SYSTEM_NAME.test(actor.name ?? '')
  );
}

/**
 * The same for a process that process-poll found, in a session: whom an account without rights may not ask about has no name, and
 * only session 0 is the system's.
 */
export function isSystemProcess(actor: Actor, sessionId: string): boolean {
  const isUnnamed = actor.name === undefined && actor.id === undefined;
  return isUnnamed ? sessionId === '' || sessionId === '0' : isSystemAccount(actor);
}
