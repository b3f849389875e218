/** What the commands of a search are told, as text. */
import { availableParallelism } from 'node:os'
import { basename, extname, join } from 'node:path'
import { invalidArgument } from '../errors.js'

/** `studies/mnist` of `mnist.ts`. */
export const studyFolder = (file: string, dir: string | undefined): string =>
  dir ?? join('studies', basename(file, extname(file)))

export function countOf(argument: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw invalidArgument(argument, 'a whole number from 1 up', text)
}

/** The cores that this process may use; of a job, no more than Slurm has given it, which without cgroups nothing else limits. */
export function threadsHere({ SLURM_CPUS_PER_TASK: task, SLURM_CPUS_ON_NODE: node } = process.env): number {
  const given = [task, node].map(Number).filter((count) => count >= 1)
  return Math.min(availableParallelism(), ...given)
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Milliseconds of `90s`, `110m`, `2h`, `1.5d`; a timer counts no more than 24 days. */
export function timeOf(argument: string, text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  const milliseconds = 1000 * Number(number) * (units[unit ?? ''] ?? Number.NaN)
  if (milliseconds > 0 && milliseconds < 2 ** 31) return milliseconds
  throw invalidArgument(argument, 'a time such as 90s, 110m or 2h, of 24 days at most', text)
}

/** What asks for an end. */
export const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
