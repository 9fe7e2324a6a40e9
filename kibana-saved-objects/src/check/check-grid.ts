/**
 * Takes the panels of a dashboard, tells which do not lie on the grid, cover each other or share an id.
 */
import { at, textOf } from './json.ts';
import type { Report } from './problem.ts';

const GRID_COLUMNS = 48;

interface Place {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Panels of different sections have grids of their own. */
const sectionOf = (panel: unknown): string => textOf(at(panel, 'gridData', 'sectionId'));

const overlap = (a: Place, b: Place): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

function placeOf(panel: unknown): Place {
  const figure = (key: string): number => Number(at(panel, 'gridData', key));
  return {
    name: textOf(at(panel, 'title')) || textOf(at(panel, 'panelIndex')),
    x: figure('x'),
    y: figure('y'),
    w: figure('w'),
    h: figure('h'),
  };
}

function checkPlace(place: Place, where: string, report: Report): void {
  const whole = [place.x, place.y, place.w, place.h].every(Number.isInteger);
  if (!whole || place.x < 0 || place.y < 0 || place.w < 1 || place.h < 1)
    report(where, `panel "${place.name}" has no place on the grid`);
  else if (place.x + place.w > GRID_COLUMNS)
    report(where, `panel "${place.name}" reaches over the ${GRID_COLUMNS} columns of the grid`);
}

export function checkGrid(panels: readonly unknown[], where: string, report: Report): void {
  const seen = new Set<string>();
  for (const panel of panels) {
    const index = textOf(at(panel, 'panelIndex'));
    if (seen.has(index)) report(where, `panelIndex ${index} stands twice`);
    seen.add(index);
    if (at(panel, 'gridData', 'i') !== index)
      report(where, `panel ${index}: gridData.i is another id`);
    checkPlace(placeOf(panel), where, report);
  }
  panels.forEach((one, index) => {
    for (const other of panels.slice(index + 1)) {
      if (sectionOf(one) !== sectionOf(other)) continue;
      const [a, b] = [placeOf(one), placeOf(other)];
      if (overlap(a, b)) report(where, `panels "${a.name}" and "${b.name}" cover each other`);
    }
  });
}
