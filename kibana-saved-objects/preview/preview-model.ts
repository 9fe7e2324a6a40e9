/**
 * What a page needs to draw one dashboard: words, places, chart states as saved, and the rows that Elasticsearch answered with.
 * The program makes it, the page in the browser reads it; it crosses between them as JSON.
 */

export type Cell = string | number | null;

/** One column of a chart's or a search's table. */
export interface PreviewColumn {
  readonly id: string;
  readonly label: string;
  /** Lens operation; empty for a field of a saved search. */
  readonly operation: string;
  readonly isBucket: boolean;
  /** Cells are times, in milliseconds or ISO 8601. */
  readonly isTime: boolean;
  /** Length of a bucket of time, e.g. `1h`; only where `isTime` and `isBucket`. */
  readonly interval?: string;
  /** How the data view writes times, in moment's letters; Kibana's default where absent. */
  readonly pattern?: string;
  /** How the data view writes numbers of this field. */
  readonly format?: 'duration' | 'bytes';
  /** Decimals that the column itself asks for. */
  readonly decimals?: number;
  /** The data view makes a link of it. */
  readonly isLink?: boolean;
  /** The data view's words for single values. */
  readonly words?: Readonly<Record<string, string>>;
}

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface PanelModel {
  readonly id: string;
  readonly place: Place;
  /** Empty: the panel has no heading. */
  readonly title: string;
  readonly description: string;
  /** lnsXY and so on, or `markdown`, `links`, `search`. */
  readonly kind: string;
  /** Lens visualization state as saved. */
  // biome-ignore lint/suspicious/noExplicitAny: each kind of chart has a state of its own
  readonly visualization: any;
  readonly columns: readonly PreviewColumn[];
  readonly rows: readonly Readonly<Record<string, Cell>>[];
  /** Of a search: all documents, of which `rows` are the newest. */
  readonly total: number;
  readonly markdown: string;
  readonly links: readonly string[];
}

export interface DashboardModel {
  readonly title: string;
  /** Start and end of the time range. */
  readonly fromMs: number;
  readonly toMs: number;
  /** KQL over all panels. */
  readonly query: string;
  readonly controls: readonly string[];
  readonly panels: readonly PanelModel[];
  /** Says that this is a preview. */
  readonly caption: string;
}
