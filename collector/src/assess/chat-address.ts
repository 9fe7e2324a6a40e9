/**
 * The address of a chat as one text, as it stands in every table: `[bot:]id[/topic]`. The id is Telegram's (negative for groups)
 * or the @name of a public channel; without a bot it is the one of `telegram.token`.
 */

export interface ChatAddress {
  /** Name of one of `telegram.bots`; empty = the bot of `telegram.token`. */
  readonly bot: string;
  /** Telegram's id of the chat, as text. */
  readonly id: string;
  /** Thread of a forum group. */
  readonly topic: number | undefined;
}

/** Writes an address. */
export const writeAddress = ({ bot, id, topic }: ChatAddress): string =>
  `${bot === '' ? '' : `${bot}:`}${id}${topic === undefined ? '' : `/${topic}`}`;

/** Reads an address that writeAddress() wrote. */
export function readAddress(text: string): ChatAddress {
  const colon = text.indexOf(':');
  const slash = text.indexOf('/', colon + 1);
  const end = slash === -1 ? text.length : slash;
  return {
    bot: colon === -1 ? '' : text.slice(0, colon),
    id: text.slice(colon + 1, end),
    topic: slash === -1 ? undefined : Number(text.slice(slash + 1)),
  };
}
