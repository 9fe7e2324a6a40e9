/**
 * Takes a notice and what is frequent in it, gives its message.
 * Keeps: as for alerts, no text of an event is markup, and Telegram takes the length.
 */
import { createWriteTime } from '../assess/alert-fields.ts';
import type { AlertsConfig } from '../assess/alerts-config.ts';
import type { NoticeRow } from './notices.ts';
import { cutMiddle, visibleText } from './visible-text.ts';
import { wordsOf } from './words.ts';
import { escapeHtml, MESSAGE_UNITS_MAX, type Message, type WriteMessage } from './write-message.ts';

/** How often something is among the alerts of a notice. */
export interface Group {
  readonly user: string;
  readonly process: string;
  readonly host: string;
  readonly count: number;
}

export type WriteNotice = (notice: NoticeRow, groups: readonly Group[]) => Message;

/** So many groups are shown; whatever else there is stands in the list. */
export const GROUPS_SHOWN = 10;
const GROUP_UNITS_MAX = 120;

/** Makes the writer. */
export function createWriteNotice(config: AlertsConfig, write: WriteMessage): WriteNotice {
  const words = wordsOf(config.language);
  const writeTime = createWriteTime(config.time_zone);

  function suppressed({ last, count, windowMs }: NoticeRow): Message {
    // The last one is shown; the others are those "more".
    const more = count > 1 ? `\n${words.more(count - 1, windowMs)}` : '';
    const shown = write(last, MESSAGE_UNITS_MAX - more.length);
    return { html: shown.html + escapeHtml(more), plain: shown.plain + more };
  }

  function counted(notice: NoticeRow, groups: readonly Group[]): Message {
    const { kind, count, state, windowMs } = notice;
    const span = { from: writeTime(notice.firstMs), to: writeTime(notice.lastMs) };
    const head = {
      folded: words.folded(count, span),
      held: windowMs > 0 ? words.digest(count, span) : words.held(count, span),
      muted: words.muted(count, span),
      storm: state === 'open' ? words.storm(count, span) : words.stormOver(count, span),
    }[kind === 'suppressed' ? 'held' : kind];
    const shown = groups.slice(0, GROUPS_SHOWN);
    const rest = count - shown.reduce((sum, one) => sum + one.count, 0);
    const lines = [
      head,
      ...(shown.length > 0 ? [words.mostly, ...shown.map(groupLine)] : []),
      ...(shown.length > 0 && rest > 0 ? [words.others(rest)] : []),
      ...(kind === 'folded' ? [] : listNote(notice, rest)),
    ];
    const plain = lines.join('\n');
    return { html: escapeHtml(plain), plain };
  }

  const listNote = (notice: NoticeRow, rest: number): string[] => {
    if (!hasList(notice, rest)) return [];
    return [notice.state === 'open' ? words.listComes : words.listFollows];
  };

  return (notice, groups) =>
    notice.kind === 'suppressed' ? suppressed(notice) : counted(notice, groups);
}

/** Whether the alerts come as a file as well: after a storm always, after quiet hours if the message does not show all. */
export const hasList = ({ kind }: Pick<NoticeRow, 'kind'>, rest: number): boolean =>
  kind === 'storm' || ((kind === 'held' || kind === 'muted') && rest > 0);

function groupLine({ user, process, host, count }: Group): string {
  const who = [user, process, host].filter((text) => text !== '').map(visibleText);
  return `• ${cutMiddle(who.join(' · '), GROUP_UNITS_MAX)} × ${count}`;
}
