/**
 * The row of "Alerts" on how it went: what was raised and what became of it, over time, in colours that say so.
 */
import { count, overTime } from '../build/columns.ts';
import type { Row } from '../build/dashboard.ts';
import { xy } from '../build/lens.ts';
import { fateWords, severityWords } from './alerts-data-view.ts';
import { startOf } from './frame.ts';
import { FATES, RAISED } from './health-questions.ts';
import type { Naming } from './naming.ts';

/** From what may wait to what may not: at a glance, and the same in every period. */
const SEVERITY_COLORS = {
  low: '#98A2B3',
  medium: '#E7C664',
  high: '#DA8B45',
  critical: '#E7664C',
};

/** Green was heard, blue and grey are told of in another message, red was heard by nobody. */
const FATE_COLORS = {
  sent: '#6DCCB1',
  suppressed: '#98A2B3',
  folded: '#C2C3C6',
  held: '#79AAD9',
  stormed: '#4379B0',
  muted: '#B4A3D6',
  failed: '#E7664C',
};

/** One figure for each value of a field, in the order of its colours: the values of a split have no colours of their own in 8.11. */
function stacked(
  colors: Readonly<Record<string, string>>,
  words: Readonly<Record<string, string>>,
  field: string,
  time: string,
) {
  const keys = Object.keys(colors).map((value, index) => [value, `y${index + 1}`] as const);
  return {
    colors: Object.fromEntries(keys.map(([value, key]) => [key, colors[value] ?? ''])),
    columns: {
      x: overTime(time, 'auto'),
      ...Object.fromEntries(
        keys.map(([value, key]) => [key, count(words[value] ?? value, `${field} : "${value}"`)]),
      ),
    },
  };
}

export function alertTrends(naming: Naming): Row {
  const { say, words } = naming;
  const start = startOf(naming, 'alerts', naming.alertsViewId);
  const bySeverity = xy({
    ...start('by-severity', say('Raised over time by severity', 'Срабатывания по важности')),
    query: RAISED,
    series: 'bar_stacked',
    ...stacked(SEVERITY_COLORS, severityWords(say), 'launchbeat.alert.severity', words.time),
  });
  const byFate = xy({
    ...start('by-fate', say('What became of them', 'Что с ними стало')),
    description: say(
      'Sent, or counted in another message: suppressed as the same again, folded since they came late, held in quiet hours, listed in a storm, muted by somebody in the chat.',
      'Отправлены или посчитаны в другом сообщении: подавлены как повтор, свёрнуты как опоздавшие, отложены на тихие часы, собраны в список при шквале, заглушены кем-то в чате.',
    ),
    query: FATES,
    series: 'bar_stacked',
    ...stacked(FATE_COLORS, fateWords(say), 'launchbeat.alert.fate', words.time),
  });
  return {
    height: 13,
    panels: [
      [24, bySeverity],
      [24, byFate],
    ],
  };
}
