/** Slurm's own commands, which need no more rights than any user of it has. */
import { execFile } from 'node:child_process'
import { userInfo } from 'node:os'
import { promisify } from 'node:util'
import { GradusError } from '../../../errors.js'
import { codeOf } from '../../../files.js'
import type { Batch } from './script.js'

/** A task of an array as squeue tells of it. */
export interface TaskState {
  /** `12_3`. */
  readonly task: string
  /** `PENDING`, `RUNNING`, `COMPLETED`, … */
  readonly state: string
  /** As `wait` gives it: 256 times the exit code, or a signal. */
  readonly status: number
  readonly node: string
  /** Why it waits. */
  readonly reason: string
}

/** Those of a job's states in which it has ended; in all others it runs, or waits for what it needs. */
const endStates = new Set([
  ...['BOOT_FAIL', 'CANCELLED', 'COMPLETED', 'DEADLINE', 'FAILED', 'NODE_FAIL', 'OUT_OF_MEMORY', 'PREEMPTED'],
  ...['REVOKED', 'TIMEOUT'],
])
export const hasEnded = ({ state }: TaskState): boolean => endStates.has(state)

/** Of those that have not begun, and those that are to begin again. */
export const isPending = ({ state }: TaskState): boolean => /^(PENDING|REQUEUED|REQUEUE_HOLD|SPECIAL_EXIT)$/.test(state)

/** @returns the number of the array's job. @throws `GRADUS_SEARCH_FAILED` with what sbatch says; `GRADUS_MISSING_PACKAGE` */
export async function submit(batch: Batch, tasks: number): Promise<string> {
  const said = await call('sbatch', ['--parsable', `--array=1-${tasks}`, ...batch.arguments])
  // A cluster's name may follow.
  const [, job] = /^(\d+)(;|$)/m.exec(said) ?? []
  if (job !== undefined) return job
  throw new GradusError(
    'GRADUS_SEARCH_FAILED',
    `sbatch: expected the number of a job, received ${JSON.stringify(said)}`,
  )
}

/** The tasks of these jobs. @throws as `submit`, while Slurm does not answer */
export async function tasksOf(jobs: readonly string[]): Promise<TaskState[]> {
  try {
    return await squeue(['--states=all', `--jobs=${jobs.join(',')}`])
  } catch (error) {
    // It forgets jobs some minutes after their end.
    if (error instanceof GradusError && /invalid job id/i.test(error.message)) return []
    throw error
  }
}

/** The tasks of this user's jobs of that name that have not ended. */
export const tasksNamed = (jobName: string): Promise<TaskState[]> =>
  squeue([`--name=${jobName}`, `--user=${userInfo().username}`])

/** Has those that wait never begin; those that have begun meanwhile go on. */
export const cancelPending = (tasks: readonly string[]): Promise<void> => scancel(['--state=PENDING', ...tasks])

/** To their batch shells, which are the workers; nothing else is done to them. */
export const signalTasks = (tasks: readonly string[]): Promise<void> => scancel(['--signal=TERM', '--batch', ...tasks])

/** SIGTERM, and SIGKILL half a minute later, or what `KillWait` says. */
export const cancel = (tasks: readonly string[]): Promise<void> => scancel(tasks)

const columns = ['ArrayJobID', 'ArrayTaskID', 'State', 'exit_code', 'BatchHost', 'Reason']
/** Of each column, in characters. */
const width = 60

async function squeue(which: readonly string[]): Promise<TaskState[]> {
  const format = columns.map((name) => `${name}:${width}`).join(',')
  const text = await call('squeue', ['--noheader', '--array', ...which, `--Format=${format}`])
  return text.split('\n').flatMap((line) => {
    const cells = columns.map((_, i) => line.slice(width * i, width * (i + 1)).trim())
    const [job, index, state, status, node, reason] = cells as [string, string, string, string, string, string]
    return state === '' ? [] : [{ task: `${job}_${index}`, state, status: Number(status), node, reason }]
  })
}

async function scancel(words: readonly string[]): Promise<void> {
  try {
    await call('scancel', words)
  } catch (error) {
    // Of several, one may have ended just now.
    if (!(error instanceof GradusError) || !/already complet|invalid job id/i.test(error.message)) throw error
  }
}

async function call(command: string, words: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(command, words, { env: environment() })).stdout
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') throw missing(command, cause)
    const text = String((cause as { stderr?: unknown }).stderr ?? '').trim() || (cause as Error).message
    const lines = text.split('\n').map((line) => line.replace(/^\w+: (error: )?/, ''))
    throw new GradusError('GRADUS_SEARCH_FAILED', `${command}: ${lines.join('; ')}`, { cause })
  }
}

function missing(command: string, cause: unknown): GradusError {
  const message = `--slurm: there is no ${command} here: expected a machine that submits jobs, with Slurm's commands (Debian: apt-get install slurm-client)`
  return new GradusError('GRADUS_MISSING_PACKAGE', message, { cause })
}

/** Within a job, without what Slurm has told that job: tasks would take it for their own. */
function environment(): NodeJS.ProcessEnv {
  const isOfJob = (name: string) => /^SLURM_/.test(name) && !/^SLURM_(CONF|CLUSTERS)$/.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOfJob(name)))
}
