/**
 * An event of Windows as its parts, before anything is made of them.
 */

/**
 * EventData: values by name, in the order of the event, of equal names the first. A value that is '' is as good as absent.
 * An object rather than a Map, since the mapper asks it some forty times an event.
 */
export type EventData = Readonly<Record<string, string | undefined>>;

/** Whether it says something under a name. */
export const hasValue = (data: EventData, name: string): boolean => (data[name] ?? '') !== '';

/** None yet. It has no prototype: whatever name an event gives is a name. */
export const noData = (): Record<string, string> => Object.create(null) as Record<string, string>;

/** A copy that may be changed. */
export const copyOf = (data: EventData): Record<string, string | undefined> =>
  Object.assign(Object.create(null), data);

/** The parts of an event that are used, as they stand in it. An absent or empty part is ''. */
export interface WindowsEvent {
  readonly providerName: string;
  readonly providerGuid: string;
  readonly eventId: string;
  readonly version: string;
  readonly task: string;
  readonly opcode: string;
  readonly keywords: string;
  readonly systemTime: string;
  readonly recordId: string;
  readonly activityId: string;
  readonly relatedActivityId: string;
  /** Attributes of `Execution`: the process that logged, not the one that was started. */
  readonly execution: Readonly<Record<string, string>>;
  readonly channel: string;
  readonly computer: string;
  readonly userId: string;
  readonly data: EventData;
  /** RenderingInfo/Message with LF as line end; '' where the reader rendered none. */
  readonly message: string;
  /** True when characters that XML forbids were removed. */
  readonly cleaned: boolean;
}
