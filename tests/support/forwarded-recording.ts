/**
 * Gives what a log of forwarded events holds: events of two PCs with the same record ids at the same times, the newest first, as bad as
 * it can come.
 */
import { readFileSync } from 'node:fs';

const OFFICE = new URL('../../ecs-schemas/fixtures/demo-office.xml.ndlines', import.meta.url);

/** Events as they were written on their PCs. */
export const officeEvents: readonly string[] = readFileSync(OFFICE, 'utf8').trimEnd().split('\n');

const on = (xml: string, computer: string): string =>
  xml.replace(/<Computer>[^<]*/, `<Computer>${computer}.office.example`);

/** The log, event by event. */
export const forwardedRecording: readonly string[] = officeEvents
  .slice(0, 60)
  .reverse()
  .flatMap((xml) => [on(xml, 'PC-A'), on(xml, 'PC-B')]);

/** The event as a subscription with ContentFormat RenderedText delivers it. */
export function rendered(xml: string): string {
  const command = /<Data Name='CommandLine'>([^<]*)/.exec(xml)?.[1] ?? '';
  const message = `A new process has been created.&#13;&#10;&#13;&#10;Process Information:&#13;&#10;\tProcess Command Line:\t${command}`;
  const info = `<RenderingInfo Culture='en-US'><Message>${message}</Message><Level>Information</Level><Task>Process Creation</Task><Opcode>Info</Opcode><Channel>Security</Channel><Provider>Microsoft Windows security auditing.</Provider><Keywords><Keyword>Audit Success</Keyword></Keywords></RenderingInfo>`;
  return xml.replace('</EventData></Event>', `</EventData>${info}</Event>`);
}
