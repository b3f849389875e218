/** What a master and its workers tell each other. All of it has come over a network, and is looked through before it is believed. */
import { GradusError } from '../../errors.js'
import { endStates } from '../../study/records.js'
import { Fields, fromNumber, isObject, type Json, type JsonObject, studyFormat } from '../../study/values.js'
import type { Params } from '../space/space.js'
import type { TrialValue } from '../worker/train-trial.js'
import type { Ending } from '../worker/trial-control.js'

/** A file of a run, by its bytes. */
export interface FileEntry {
  /** From the run's directory on, with slashes. */
  readonly path: string
  readonly bytes: number
  /** In hexadecimal digits. */
  readonly sha256: string
}

/** What a job is: a claim, with all that a worker needs for it. */
export interface TrialJob {
  readonly trial: number
  /** The claim that the job was made for: whoever holds the trial later may still wait for it. */
  readonly claim: number
  readonly params: Params
  readonly seed: number
  readonly epochs: number | null
  readonly resume: boolean
  /** The last report before it. */
  readonly epoch: number
  readonly value: number | null
  /** The run's directory as it is; none of a new one. */
  readonly files: readonly FileEntry[]
  /** The checkpoint to begin with. */
  readonly initial: FileEntry | null
  /** Whether that is its parent's. */
  readonly isHeir: boolean
  /** Why it is to end, if it is. */
  readonly ending: Ending | null
}

export interface TrialReport {
  readonly epoch: number
  readonly value: number
  readonly record: JsonObject
}

/** What a worker tells of its job: all that the master has not answered yet. The job itself says it too, now and then. */
export interface TrialProgress {
  /** Of one worker's try at the job: whoever began last has it. */
  readonly execution: string
  /** How often the job has been begun. */
  readonly attempt: number
  /** Where its worker is answered. */
  readonly node: string
  readonly reports: readonly TrialReport[]
  /** The run's directory as it has been sent; null where it has not been since the last time. */
  readonly files: readonly FileEntry[] | null
  /** How often it has been sent: what is told late is known by it. */
  readonly sendings: number
}

/** How a job ends: its last progress, and what came of the trial. */
export interface TrialReturn extends TrialProgress {
  readonly outcome:
    | { readonly type: 'value'; readonly value: TrialValue }
    | { readonly type: 'ending'; readonly ending: Ending }
    | { readonly type: 'error'; readonly code: string | null; readonly text: string }
}

/** Of a worker, to the master. `hello` comes again and again: it is what others hear that the worker lives by. */
export type ToMaster =
  | {
      readonly type: 'hello'
      readonly worker: string
      readonly node: string
      readonly version: string
      /** SHA-256 of the study's file. */
      readonly module: string
      /** Of the token that both were given; empty where it was given none. */
      readonly proof: string
    }
  | { readonly type: 'bye'; readonly worker: string; readonly node: string }
  | { readonly type: 'progress'; readonly job: string; readonly progress: TrialProgress }
  /** The queue has taken the job's end: what it was given, or null where the job has failed. */
  | { readonly type: 'done'; readonly job: string; readonly returned: TrialReturn | null }

/** Of the master, to one worker. */
export type ToWorker =
  | {
      readonly type: 'welcome'
      /** Which study it is, by its folder: jobs of others are not touched. */
      readonly study: string
      readonly lease: number
      readonly artifacts: { readonly url: string; readonly token: string | null } | { readonly folder: string }
      /** What the study names, by their paths from its file on. */
      readonly files: readonly FileEntry[]
    }
  | { readonly type: 'refused'; readonly reason: string }
  /** To a job: up to which epoch its reports have come, and whether it is to end. */
  | { readonly type: 'answer'; readonly job: string; readonly epoch: number; readonly ending: Ending | null }

/** Of a master, to all. `master`: it is there, and wants to know who else is; `done`: nothing is left to do. */
export interface ToAll {
  readonly type: 'master' | 'done'
  /** Which study it is, by its folder. */
  readonly study: string
  readonly node: string
  /** The machine. */
  readonly host: string
}

/** Where they are told. */
export const topics = { master: 'master', all: 'workers', worker: (node: string) => `worker.${node}` } as const

/** With the format that {@link Fields} looks at; numbers that JSON does not know by their names. */
export const packed = (message: object): JsonObject => ({ format: studyFormat, ...message }) as unknown as JsonObject

/** No list of files is longer. */
const mostFiles = 10_000
/** No number of reports waits unanswered. */
const mostReports = 100_000

/** @throws `GRADUS_REFUSED` naming what is wrong */
export function read<Message>(where: string, data: unknown, parse: (fields: Fields) => Message): Message {
  try {
    const record = typeof data === 'string' ? JSON.parse(data) : data
    if (!isObject(record)) throw new Error(`${where}: expected an object`)
    return parse(Fields.of(record, where))
  } catch (error) {
    const { message } = error as Error
    throw new GradusError('GRADUS_REFUSED', `queue: ${message}`, { cause: error })
  }
}

export function jobOf(fields: Fields): TrialJob {
  const initial = fields.objectOrNull('initial')
  return {
    trial: fields.whole('trial'),
    claim: fields.whole('claim', 1),
    params: fields.object('params') as Params,
    seed: fields.whole('seed'),
    epochs: fields.wholeOrNull('epochs'),
    resume: fields.get('resume') === true,
    epoch: fields.whole('epoch'),
    value: fields.numberOrNull('value'),
    files: filesOf(fields, 'files'),
    initial: initial && entryOf(fields.within('initial', initial)),
    isHeir: fields.get('isHeir') === true,
    ending: endingOf(fields, 'ending'),
  }
}

export const jobData = (job: TrialJob): JsonObject =>
  packed({ ...job, value: job.value === null ? null : fromNumber(job.value) })

export function progressOf(fields: Fields): TrialProgress {
  const reports = fields.list('reports')
  if (reports.length > mostReports) fields.fail('reports', `${mostReports} at most`)
  return {
    execution: fields.text('execution'),
    attempt: fields.whole('attempt', 1),
    node: nameOf(fields, 'node'),
    reports: reports.map((report, i) => reportOf(fields, `reports[${i}]`, report)),
    files: (fields.get('files') ?? null) === null ? null : filesOf(fields, 'files'),
    sendings: fields.whole('sendings'),
  }
}

export function progressData({ reports, ...rest }: TrialProgress): JsonObject {
  return packed({ ...rest, reports: reports.map(({ value, ...report }) => ({ ...report, value: fromNumber(value) })) })
}

export function returnOf(fields: Fields): TrialReturn {
  return { ...progressOf(fields), outcome: outcomeOf(fields.within('outcome', fields.object('outcome'))) }
}

export function returnData({ outcome, ...progress }: TrialReturn): JsonObject {
  const told =
    outcome.type === 'value'
      ? { type: 'value', value: { ...outcome.value, value: fromNumber(outcome.value.value) } }
      : outcome
  return { ...progressData(progress), outcome: told as unknown as JsonObject }
}

function outcomeOf(fields: Fields): TrialReturn['outcome'] {
  const type = fields.oneOf('type', ['value', 'ending', 'error'] as const)
  if (type === 'error') return { type, code: fields.textOrNull('code'), text: fields.text('text') }
  if (type === 'ending') return { type, ending: endingOf(fields, 'ending') ?? fields.fail('ending', 'an object') }
  const value = fields.within('value', fields.object('value'))
  return {
    type,
    value: { value: value.number('value'), epoch: value.whole('epoch'), details: value.object('details') },
  }
}

function endingOf(fields: Fields, field: string): Ending | null {
  const object = fields.objectOrNull(field)
  if (object === null) return null
  const ending = fields.within(field, object)
  const [how, reason] = [ending.oneOf('how', ['pause', 'stop', 'lost'] as const), ending.text('reason')]
  if (how === 'lost') return { how, reason }
  if (how === 'pause') return { how, reason: ending.oneOf('reason', ['pruner', 'interrupted'] as const) }
  const state = ending.oneOf('state', endStates)
  return state === 'complete' ? ending.fail('state', 'how a trial ends early') : { how, state, reason }
}

function reportOf(fields: Fields, place: string, value: Json): TrialReport {
  if (!isObject(value)) return fields.fail(place, 'an object')
  const report = fields.within(place, value)
  return { epoch: report.whole('epoch', 1), value: report.number('value'), record: report.objectOrNull('record') ?? {} }
}

function filesOf(fields: Fields, field: string): FileEntry[] {
  const list = fields.list(field)
  if (list.length > mostFiles) fields.fail(field, `${mostFiles} at most`)
  return list.map((one, i) => {
    if (!isObject(one)) return fields.fail(`${field}[${i}]`, 'an object')
    return entryOf(fields.within(`${field}[${i}]`, one))
  })
}

function entryOf(fields: Fields): FileEntry {
  const [path, sha256] = [fields.text('path'), fields.text('sha256')]
  if (!isPlainPath(path)) fields.fail('path', 'names with slashes between them, none of which leads upwards')
  if (!/^[0-9a-f]{64}$/.test(sha256)) fields.fail('sha256', '64 hexadecimal digits')
  return { path, bytes: fields.whole('bytes'), sha256 }
}

/** Within a folder, on every system: no way up, no root, no drive, nothing hidden of ours. */
export const isPlainPath = (path: string): boolean =>
  path.length <= 1000 &&
  path.split('/').every((name) => name !== '' && !/^\.+$|[\\:\0]|^\.gradus-/.test(name)) &&
  path.split('/').length <= 16

export function toMasterOf(fields: Fields): ToMaster {
  const type = fields.oneOf('type', ['hello', 'bye', 'progress', 'done'] as const)
  if (type === 'done') {
    const returned = fields.objectOrNull('returned')
    return { type, job: fields.text('job'), returned: returned && returnOf(fields.within('returned', returned)) }
  }
  if (type === 'progress')
    return { type, job: fields.text('job'), progress: progressOf(fields.within('progress', fields.object('progress'))) }
  const [worker, node] = [nameOf(fields, 'worker'), nameOf(fields, 'node')]
  if (type === 'bye') return { type, worker, node }
  return {
    type,
    worker,
    node,
    version: fields.text('version'),
    module: fields.text('module'),
    proof: fields.text('proof'),
  }
}

export function toMasterData(message: ToMaster): JsonObject {
  if (message.type === 'progress') return packed({ ...message, progress: progressData(message.progress) })
  if (message.type !== 'done' || message.returned === null) return packed(message)
  return packed({ ...message, returned: returnData(message.returned) })
}

export function toWorkerOf(fields: Fields): ToWorker {
  const type = fields.oneOf('type', ['welcome', 'refused', 'answer'] as const)
  if (type === 'refused') return { type, reason: fields.text('reason') }
  if (type === 'answer')
    return { type, job: fields.text('job'), epoch: fields.whole('epoch'), ending: endingOf(fields, 'ending') }
  const artifacts = fields.within('artifacts', fields.object('artifacts'))
  const folder = artifacts.textOrNull('folder')
  const place = folder === null ? { url: artifacts.text('url'), token: artifacts.textOrNull('token') } : { folder }
  return {
    type,
    study: fields.text('study'),
    lease: fields.whole('lease', 1),
    artifacts: place,
    files: filesOf(fields, 'files'),
  }
}

export const toAllOf = (fields: Fields): ToAll => ({
  type: fields.oneOf('type', ['master', 'done'] as const),
  study: fields.text('study'),
  node: nameOf(fields, 'node'),
  host: nameOf(fields, 'host'),
})

/** Shown to people, and part of a topic. */
function nameOf(fields: Fields, field: string): string {
  const name = fields.text(field)
  return name.length > 0 && name.length <= 200 ? name : fields.fail(field, 'a name of 200 characters at most')
}

/** Of one trial: nobody else's, in whatever study of the same queue. */
export const jobIdOf = (study: string, trial: number, claim: number): string => `${study}.${trial}.${claim}`

/** Where the files lie that a study names. */
export const filesRoom = (study: string): string => `${study}.files`
