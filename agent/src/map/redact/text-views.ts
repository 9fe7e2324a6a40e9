/**
 * Takes a command line, gives the ways to read it: as it stands, with the dashes and quotes of a word processor read as PowerShell
 * reads them, and without the carets that cmd.exe takes out (`n^et us^er`).
 * Keeps: every place of a view leads back to its place in the command line.
 */
export interface TextView {
  readonly text: string;
  /** Place in the command line of a place in the view; the end leads to the end. */
  at(place: number): number;
}

const TYPESET = /[\u2013\u2014\u2015\u2212\u2018-\u201b\u201c-\u201e]/g;
const HAS_TYPESET = new RegExp(TYPESET.source);
/** A caret within a word or an option. */
const HAS_CARET = /[\w/-]\^+[\w-]/;

const same = (place: number): number => place;

/** Each sign for one sign: places stay. */
const plainSign = (sign: string): string => {
  if (/[\u2013\u2014\u2015\u2212]/.test(sign)) return '-';
  return /[\u2018-\u201b]/.test(sign) ? "'" : '"';
};

function withoutCarets(text: string): TextView {
  const places: number[] = [];
  let without = '';
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '^') continue;
    without += text.charAt(at);
    places.push(at);
  }
  return { text: without, at: (place) => places[place] ?? text.length };
}

/** The views of a text; most have one. */
export function textViews(text: string): TextView[] {
  const plain = HAS_TYPESET.test(text) ? text.replace(TYPESET, plainSign) : text;
  const views: TextView[] = [{ text: plain, at: same }];
  if (plain.includes('^') && HAS_CARET.test(plain)) views.push(withoutCarets(plain));
  return views;
}

/** A range of a view as one of the command line. */
export function placed<Range extends { readonly start: number; readonly end: number }>(
  view: TextView,
  range: Range,
): Range {
  const last = Math.max(range.start, range.end - 1);
  const end = range.end > range.start ? view.at(last) + 1 : view.at(range.start);
  return { ...range, start: view.at(range.start), end };
}
