/**
 * An event of Windows as its parts, before anything is made of them.
 */

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
  /** EventData by name in the order of the event, empty values left out, the first of equal names. */
  readonly data: ReadonlyMap<string, string>;
  /** RenderingInfo/Message with LF as line end; '' where the reader rendered none. */
  readonly message: string;
  /** True when characters that XML forbids were removed. */
  readonly cleaned: boolean;
}
