/**
 * `check_in:` of launchbeat.yml: whether and how often the agent tells the collector how it does.
 */
import { duration } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

const INTERVAL_MS_MIN = 1000;

export const checkInConfigSchema = z
  .strictObject({
    /** false: the collector knows this agent by its events alone. */
    enabled: z.boolean().default(true),
    /** How often, give or take a tenth. */
    interval: duration('60s').refine((ms) => ms >= INTERVAL_MS_MIN, 'Expected at least 1s'),
  })
  .prefault({});

export type CheckInConfig = z.infer<typeof checkInConfigSchema>;
