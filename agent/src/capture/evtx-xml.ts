/**
 * Takes the XML that @ts-evtx/core makes of a record, gives it as Windows prints it.
 * Differences that are undone: pids in decimal, absent attributes as "", bare CR (which XML would read as LF). Not undone, since
 * the digits are not in its output: times are cut to milliseconds.
 */

/** Attributes that Windows leaves out when they are absent. */
const EMPTY_ATTRIBUTE = / (?:Qualifiers|ActivityID|RelatedActivityID|UserID)=""/g;
const PID = /(<Data Name="(?:NewProcessId|ProcessId)">)(\d{1,10})(<\/Data>)/g;
const EVENT_CODE = /<EventID[^>]*>(\d{1,5})<\/EventID>/;

/** Event id of a record's XML, '' where there is none. */
export function eventCodeOf(xml: string): string {
  return EVENT_CODE.exec(xml)?.[1] ?? '';
}

/** Brings the XML of one record of event 4688 to Windows' form. */
export function windowsXml(xml: string): string {
  return xml
    .replace(EMPTY_ATTRIBUTE, '')
    .replace(
      PID,
      (_, before: string, pid: string, after: string) =>
        `${before}0x${Number(pid).toString(16)}${after}`,
    )
    .replaceAll('\r', '&#13;');
}
