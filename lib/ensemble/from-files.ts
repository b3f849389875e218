import { resolve } from 'node:path'
import { scoreOf } from '../checkpoint/folder.js'
import { withHeader } from '../checkpoint/head.js'
import { checkFinite, checkPositiveInteger, oneOf } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { checkPath } from '../files.js'
import { needed, optionsOf } from '../options.js'
import type { Ensemble } from './ensemble.js'
import { type LoadedOptions, loadedRules, loadMembers } from './loaded-members.js'

/** A model's file or a checkpoint, and how good it is. */
export interface ScoredFile {
  readonly file: string | URL
  /** Default, of a checkpoint: what its run compares it by. */
  readonly score?: number | undefined
}

export interface FromFilesOptions extends LoadedOptions {
  /** So many of the best; of equal ones the first. Default: all of them, whatever their scores. */
  top?: number | undefined
  /** Which scores are good. Default: `'maximize'`; where the scores are those of the checkpoints, as their runs say. */
  direction?: 'maximize' | 'minimize' | undefined
}

const readOptions = optionsOf<FromFilesOptions>()(
  'fromFiles',
  { top: checkPositiveInteger, direction: oneOf('maximize', 'minimize'), ...loadedRules },
  ['files'],
)
const readFile = optionsOf<ScoredFile>()('files', { file: needed<string | URL>(checkPath), score: checkFinite })

/** See `ensemble.fromFiles`. */
export async function fromFiles(
  files: readonly (string | URL | ScoredFile)[],
  options: FromFilesOptions = {},
): Promise<Ensemble> {
  const { top, direction, ...read } = readOptions(options)
  const listed = checkFiles(files)
  if (top === undefined) {
    return await loadMembers(
      listed.map(({ file }) => file),
      read,
    )
  }
  if (top > listed.length) throw invalidArgument('top', `at most the ${listed.length} files that there are`, top)
  const scored = await scores(listed, direction)
  const best = new Set([...scored].sort(compare).slice(0, top))
  return await loadMembers(
    scored.filter((one) => best.has(one)).map(({ file }) => file),
    read,
  )
}

interface Listed {
  readonly file: string
  readonly score: number | undefined
}

function checkFiles(files: unknown): Listed[] {
  if (!Array.isArray(files) || files.length === 0) throw invalidArgument('files', 'a list of one file or more', files)
  const listed = files.map((given, i): Listed => {
    const isPath = typeof given === 'string' || given instanceof URL
    const { file, score } = isPath ? { file: checkPath(`files[${i}]`, given), score: undefined } : readOne(given, i)
    return { file, score }
  })
  for (const [i, { file }] of listed.entries()) {
    const first = listed.findIndex((other) => resolve(other.file) === resolve(file))
    if (first === i) continue
    const message = `files[${i}]: expected each file once, received ${file} again`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  return listed
}

function readOne(given: ScoredFile, i: number): Listed {
  const { file, score } = readFile(given, `files[${i}]`)
  return { file: String(file), score }
}

interface Scored {
  readonly file: string
  /** Large is good. */
  readonly worth: number
}

/** The first of equal ones stays before the others, as sorting is stable; NaN is worst. */
const compare = (a: Scored, b: Scored): number => {
  const [missesA, missesB] = [Number.isNaN(a.worth), Number.isNaN(b.worth)]
  if (missesA || missesB) return Number(missesA) - Number(missesB)
  return a.worth === b.worth ? 0 : b.worth - a.worth
}

async function scores(listed: readonly Listed[], given: FromFilesOptions['direction']): Promise<Scored[]> {
  const isGiven = ({ score }: Listed) => score !== undefined
  if (listed.every(isGiven)) {
    const sign = given === 'minimize' ? -1 : 1
    return listed.map(({ file, score }) => ({ file, worth: sign * score! }))
  }
  const bare = listed.findIndex((one) => !isGiven(one))
  if (listed.some(isGiven)) {
    const message = `files[${bare}]: expected { file, score } as the others, received ${listed[bare]!.file} without a score`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const scored: Scored[] = []
  let first: string | null = null
  for (const [i, { file }] of listed.entries()) {
    const { column, mode, score } = await ownScore(file, i)
    first ??= column
    if (column !== first) throw incomparable(i, column, first)
    const direction = given ?? (mode === 'max' ? 'maximize' : 'minimize')
    scored.push({ file, worth: direction === 'minimize' ? -score : score })
  }
  return scored
}

async function ownScore(file: string, i: number): Promise<NonNullable<ReturnType<typeof scoreOf>>> {
  const own = await withHeader(file, async ({ head }) => scoreOf(head)).catch((error) => {
    if (!/no checkpoint/.test(error.message)) throw error
    return null
  })
  if (own) return own
  const message = `files[${i}]: expected { file, score }, or a checkpoint of an epoch's end, which has its score; received ${file}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

function incomparable(i: number, column: string, first: string): GradusError {
  const message = `files[${i}]: expected a checkpoint compared by ${first} as files[0], received one by ${column}; give { file, score }`
  return new GradusError('GRADUS_INVALID_ARGUMENT', message)
}
