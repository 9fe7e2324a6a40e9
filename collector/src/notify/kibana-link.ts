/**
 * Takes where Kibana is, gives the address that opens one event there: Discover on our data view, the event's id as the query, and a
 * time around it, since Discover shows nothing outside of its time.
 * Source: Kibana, "Discover" (`_g` and `_a` of its address are RISON).
 */
import { EVENT_ID_PATTERN, eventIdTimeMs } from '@launchbeat/ecs-schemas';

/** Where Kibana is for the people who read the messages. */
export interface KibanaPlace {
  /** With its base path. */
  readonly url: string;
  readonly space?: string | undefined;
  /** Language in which the dashboards were imported: their data view has its own id in each. */
  readonly language: 'en' | 'ru';
}

const DATA_VIEW = 'launchbeat-process-starts';
const AROUND_MS = 15 * 60_000;

type Fields = Readonly<Record<string, string>>;

/** Makes the links; empty without a place and for alerts that are about no event. */
export function createLinkOf(place: KibanaPlace | undefined): (fields: Fields) => string {
  if (place === undefined) return () => '';
  const base = place.url.replace(/\/+$/, '');
  const space = place.space === undefined ? '' : `/s/${encodeURIComponent(place.space)}`;
  const view = place.language === 'en' ? DATA_VIEW : `${DATA_VIEW}-${place.language}`;
  return ({ event_id: eventId = '' }) => {
    // Alerts about agents have other ids.
    if (!EVENT_ID_PATTERN.test(eventId)) return '';
    const timeMs = eventIdTimeMs(eventId);
    const from = new Date(timeMs - AROUND_MS).toISOString();
    const to = new Date(timeMs + AROUND_MS).toISOString();
    const time = `(time:(from:'${from}',to:'${to}'))`;
    const query = `(dataSource:(dataViewId:${view},type:dataView),index:${view},query:(language:kuery,query:'event.id:"${eventId}"'))`;
    return `${base}${space}/app/discover#/?_g=${encodeURI(time)}&_a=${encodeURIComponent(query)}`;
  };
}
