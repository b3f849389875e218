/** `study.json`: what a study is, made whole once by whoever is first. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { GradusError } from '../errors.js'
import { badFile, isMissing, makeFolder, placeFile, readText, withFileErrors } from '../files.js'
import { runFiles } from '../train/run-folder.js'
import { now } from './held-trial.js'
import { studyFiles } from './layout.js'
import { Fields, type Json, type JsonObject, studyFormat } from './values.js'

/** The file that defines the study. */
export interface StudyModule {
  readonly path: string
  /** Of its bytes, in hexadecimal digits. */
  readonly sha256: string
}

/** What a study is; plain JSON. */
export interface StudyDescription {
  /** The column by which trials are compared. */
  readonly metric: string
  readonly direction: 'minimize' | 'maximize'
  /** Of a whole trial; null where the trial decides. */
  readonly epochs: number | null
  /** In all, as it was begun; a plan may want more. */
  readonly trials: number
  readonly space: JsonObject
  readonly sampler: Json
  readonly pruner: Json
  readonly stages: Json
  readonly seed: number
  /** What else decides the results. */
  readonly details: JsonObject
  /** Null of a study that was defined in a program. */
  readonly module: StudyModule | null
  /** Of Gradus, Node.js and the packages used, by name: for people. */
  readonly versions: JsonObject
}

/** What two studies may not differ in. */
const compared = ['metric', 'direction', 'epochs', 'space', 'sampler', 'pruner', 'stages', 'seed', 'details'] as const

export interface OpenStudyOptions {
  /** Whether the module may have changed since. Default false. */
  readonly allowChanged?: boolean | undefined
  /** What may differ, as whoever asks has looked at it. Default none. */
  readonly mayDiffer?: readonly (typeof compared)[number][] | undefined
}

/** No description is longer, in bytes. */
const mostBytes = 1 << 24

/** A folder of a study. */
export interface OpenedStudy {
  readonly path: string
  /** As it stands in the folder. */
  readonly description: StudyDescription
  /** Whether it was made now. */
  readonly isNew: boolean
}

/**
 * Makes the folder of a study, or opens it to go on with the same.
 *
 * @throws `GRADUS_INVALID_ARGUMENT` when the folder holds another study, a run, or this one with another module;
 * `GRADUS_BAD_FILE` when it cannot be written or read, or a newer Gradus made it
 */
export async function makeStudy(
  path: string,
  description: StudyDescription,
  options: OpenStudyOptions = {},
): Promise<OpenedStudy> {
  await checkFolder(path)
  const file = join(path, studyFiles.study)
  await makeFolder(path)
  const text = `${JSON.stringify({ format: studyFormat, ...description, time: now() }, null, 2)}\n`
  const isNew = !(await isThere(file)) && (await placeFile(file, (handle) => handle.writeFile(text)))
  const there = await readStudy(path)
  if (!isNew) checkSame(path, there, description, options)
  for (const name of [studyFiles.trials, studyFiles.stages]) await makeFolder(join(path, name))
  return { path, description: there, isNew }
}

/** What stands in `study.json`. @throws `GRADUS_BAD_FILE` when there is no study, it is damaged, or a newer Gradus made it */
export async function readStudy(path: string): Promise<StudyDescription> {
  const file = join(path, studyFiles.study)
  const text = await readText(file, { most: mostBytes, follow: false }).catch((error) => {
    throw isMissing(error) ? badFile(path, `it holds no study: there is no ${studyFiles.study} in it`, error) : error
  })
  return descriptionOf(Fields.parse(text, file))
}

function descriptionOf(fields: Fields): StudyDescription {
  const module = fields.objectOrNull('module')
  const ofModule = module && fields.within('module', module)
  return {
    metric: fields.text('metric'),
    direction: fields.oneOf('direction', ['minimize', 'maximize'] as const),
    epochs: fields.wholeOrNull('epochs'),
    trials: fields.whole('trials', 1),
    space: fields.object('space'),
    sampler: fields.get('sampler') ?? null,
    pruner: fields.get('pruner') ?? null,
    stages: fields.get('stages') ?? null,
    seed: fields.whole('seed'),
    details: fields.object('details'),
    module: ofModule && { path: ofModule.text('path'), sha256: ofModule.text('sha256') },
    versions: fields.object('versions'),
  }
}

function checkSame(
  path: string,
  before: StudyDescription,
  now: StudyDescription,
  { allowChanged = false, mayDiffer = [] }: OpenStudyOptions,
): void {
  // What JSON makes of it: undefined fields are none.
  const given: StudyDescription = JSON.parse(JSON.stringify(now))
  const differing = compared.filter((key) => !mayDiffer.includes(key) && !isDeepStrictEqual(before[key], given[key]))
  if (differing.length > 0) {
    const lines = differing.map((key) => `${key}: ${shown(before[key])} there, ${shown(given[key])} now`)
    const message = `dir: ${path} holds another study; give another dir, or the same again:\n  ${lines.join('\n  ')}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'dir', expected: 'a folder of this study' })
  }
  const [old, current] = [before.module?.sha256, given.module?.sha256]
  if (allowChanged || old === undefined || current === undefined || old === current) return
  const message =
    `study: ${given.module!.path} has changed since ${path} was begun: its SHA-256 was ${old} and is ${current}; ` +
    '--allow-changed goes on with it as it is'
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'study', expected: 'the file as it was' })
}

function shown(value: Json): string {
  const text = JSON.stringify(value)
  return text.length > 100 ? `${text.slice(0, 99)}…` : text
}

/** A run's folder is none for a study: both would be found there. */
async function checkFolder(path: string): Promise<void> {
  if (!(await isThere(join(path, runFiles.info)))) return
  const message = `dir: ${path} holds a run; give a study a folder of its own`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'dir', expected: 'a folder without a run' })
}

const isThere = (path: string): Promise<boolean> =>
  withFileErrors(path, () => lstat(path)).then(
    () => true,
    (error) => (isMissing(error) ? false : Promise.reject(error)),
  )

/** What a stage is; a function of the results before it. */
export interface Stage {
  /** From 2: the first stage is in `study.json`. */
  readonly number: number
  readonly record: JsonObject
}

/**
 * Records a stage. Of many who find that one to begin each makes the same; the first one's is in place, and given back.
 *
 * @param onFirst - told where this one was the first
 */
export async function makeStage(study: string, { number, record }: Stage, onFirst?: () => void): Promise<JsonObject> {
  const path = stagePath(study, number)
  const text = `${JSON.stringify({ format: studyFormat, stage: record })}\n`
  if (await placeFile(path, (file) => file.writeFile(text))) onFirst?.()
  return await readStage(study, number)
}

/** The stages that have been found, in order. @throws `GRADUS_BAD_FILE` when one is damaged: all ranges come from it */
export async function readStages(study: string): Promise<Stage[]> {
  const names = await withFileErrors(study, () => readdir(join(study, studyFiles.stages))).catch((error) => {
    if (isMissing(error)) return []
    throw error
  })
  const numbers = names.flatMap((name) => /^([2-9]|[1-9]\d{1,3})\.json$/.exec(name)?.[1] ?? []).map(Number)
  const stages: Stage[] = []
  for (const number of numbers.sort((a, b) => a - b)) stages.push({ number, record: await readStage(study, number) })
  return stages
}

async function readStage(study: string, number: number): Promise<JsonObject> {
  const path = stagePath(study, number)
  return Fields.parse(await readText(path, { most: mostBytes, follow: false }), path).object('stage')
}

const stagePath = (study: string, number: number): string => join(study, studyFiles.stages, `${number}.json`)
