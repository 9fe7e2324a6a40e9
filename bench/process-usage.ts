/**
 * Takes a process id, gives what the kernel counted for it: CPU seconds (user and system) and memory.
 * Source: proc(5), /proc/<pid>/stat and /proc/<pid>/status. Linux only.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second; every Linux that Node runs on has 100. */
const TICKS_PER_SECOND = 100;

export interface Usage {
  /** Seconds of all its threads, ended ones too. */
  readonly cpuSeconds: number;
  readonly rssMiB: number;
  /** The most that it ever had. */
  readonly peakRssMiB: number;
}

interface Stat {
  readonly name: string;
  readonly parent: number;
  readonly cpuSeconds: number;
  /** Of its children that have ended and were waited for. */
  readonly endedSeconds: number;
}

function statOf(pid: number): Stat {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const end = text.lastIndexOf(')');
  const fields = text
    .slice(end + 2)
    .split(' ')
    .map(Number);
  const at = (index: number): number => fields[index] ?? 0;
  return {
    name: text.slice(text.indexOf('(') + 1, end),
    parent: at(1),
    cpuSeconds: (at(11) + at(12)) / TICKS_PER_SECOND,
    endedSeconds: (at(13) + at(14)) / TICKS_PER_SECOND,
  };
}

function memoryMiB(status: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
}

/** What a running process has used so far. Throws when it has ended. */
export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    cpuSeconds: statOf(pid).cpuSeconds,
    rssMiB: memoryMiB(status, 'VmRSS'),
    peakRssMiB: memoryMiB(status, 'VmHWM'),
  };
}

/** The same; undefined where the kernel has no /proc, and for a process that has ended. */
export function usageWhereKnown(pid: number): Usage | undefined {
  try {
    return usageOf(pid);
  } catch {
    return undefined;
  }
}

/** CPU seconds of all processes below this one whose name fits, with those of their ended children. */
export function cpuSecondsBelow(name: RegExp): number {
  const all = new Map<number, Stat>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      all.set(Number(entry), statOf(Number(entry)));
    } catch {
      // It ended in between.
    }
  }
  const isBelow = (stat: Stat): boolean => {
    if (stat.parent === process.pid) return true;
    const parent = all.get(stat.parent);
    return parent !== undefined && isBelow(parent);
  };
  return [...all.values()]
    .filter((stat) => name.test(stat.name) && isBelow(stat))
    .reduce((sum, stat) => sum + stat.cpuSeconds + stat.endedSeconds, 0);
}

/** Throws with a plain sentence where the kernel has no /proc. */
export function needProc(): void {
  if (!existsSync('/proc/self/stat')) {
    throw new Error('The bench reads CPU seconds from /proc: run it on Linux.');
  }
}
