/** Processes, told apart also from a later one that has got the number of an earlier one. */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** What tells a process from all others, in a file that others read. */
export interface ProcessMark {
  readonly process: number
  readonly host: string
  /** The boot of the system and the namespace in which the number counts; null where the system does not tell. */
  readonly boot: string | null
  /** When it started, in the system's own count; null likewise. */
  readonly started: string | null
}

let own: ProcessMark | null = null

export function thisProcess(): ProcessMark {
  own ??= { process: process.pid, host: hostname(), boot: bootOf(), started: startOf(process.pid) }
  return own
}

/** Whether it lives; null for one of another machine, boot or container, of which nothing can be told from here. */
export function isAlive({ process: number, host, boot, started }: ProcessMark): boolean | null {
  const here = thisProcess()
  if (host !== here.host || boot !== here.boot) return null
  if (number === here.process && started === here.started) return true
  const now = startOf(number)
  if (now === null) return exists(number)
  return now !== ended && (started === null || now === started)
}

const ended = 'ended'

/** On Linux; null elsewhere, and where it may not be seen. */
function startOf(number: number): string | null {
  try {
    const status = readFileSync(`/proc/${number}/stat`, 'utf8')
    // Behind the name, which may have spaces and brackets, come the state and, 19 fields on, the start.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    return /^[ZX]/.test(fields[0]!) ? ended : (fields[19] ?? null)
  } catch {
    return null
  }
}

function bootOf(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return null
  }
}

function exists(number: number): boolean {
  try {
    process.kill(number, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
