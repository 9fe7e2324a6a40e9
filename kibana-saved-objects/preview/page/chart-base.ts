/** Settings that all charts share: Kibana's theme, no animation, nothing to hover. */
import { LIGHT_THEME } from '@elastic/charts';

/** Widths of a legend by the names that Lens saves; without one it is medium (visualizations plugin, legend_size). */
const LEGEND_PIXELS: Readonly<Record<string, number>> = { small: 80, medium: 130, large: 180 };

export const legendPixels = (size: unknown): number =>
  LEGEND_PIXELS[String(size ?? 'medium')] ?? 130;

export const CHART_BASE = {
  baseTheme: LIGHT_THEME,
  theme: { background: { color: 'transparent' } },
  locale: 'en',
} as const;
