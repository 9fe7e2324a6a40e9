/**
 * Takes lines and a running status; gives them to a terminal (status rewritten in place) or a pipe (status every ten seconds).
 */

const STATUS_IN_PIPE_MS = 10_000;

export interface Screen {
  /** A line that stays. */
  line(text: string): void;
  /** What is going on right now. */
  status(text: string): void;
  /** Emphasised on a terminal, plain in a pipe. */
  bold(text: string): string;
}

/** Makes the screen for a stream. */
export function createScreen(stream: NodeJS.WriteStream): Screen {
  let shown = '';
  let shownAtMs = 0;
  const clear = (): void => {
    if (stream.isTTY && shown !== '') stream.write('\r\x1b[K');
  };
  return {
    line(text) {
      clear();
      stream.write(`${text}\n`);
      if (stream.isTTY && shown !== '') stream.write(shown);
    },
    status(text) {
      if (stream.isTTY) {
        clear();
        shown = text.slice(0, Math.max(stream.columns - 1, 20));
        stream.write(shown);
        if (text === '') shown = '';
      } else if (
        text !== '' &&
        text !== shown &&
        performance.now() - shownAtMs > STATUS_IN_PIPE_MS
      ) {
        shown = text;
        shownAtMs = performance.now();
        stream.write(`${text}\n`);
      }
    },
    bold: (text) => (stream.isTTY ? `\x1b[1m${text}\x1b[0m` : text),
  };
}
