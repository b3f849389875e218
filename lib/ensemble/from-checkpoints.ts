import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CheckpointFolder, endsOfFurthest, folderName, type Known, ranking, scoreOf } from '../checkpoint/folder.js'
import { checkPositiveInteger } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { checkPath } from '../files.js'
import { optionsOf } from '../options.js'
import type { Ensemble } from './ensemble.js'
import { type LoadedOptions, loadedRules, loadMembers } from './loaded-members.js'

/** Which checkpoints: one of the four. All are of epochs' ends. */
export interface FromCheckpointsOptions extends LoadedOptions {
  /** The newest so many. */
  last?: number | undefined
  /** The best so many, by what the run compares its checkpoints by: the `monitor` of {@link checkpoint}, else valLoss or loss. */
  best?: number | undefined
  /** Those of each so many epochs: with `cosine({ length: 10, cycles: 5 })` 10 takes the ends of the cycles. */
  every?: number | undefined
  /** Those of these epochs: with `cosine({ length: 10, cycles: 3, cycleFactor: 2 })` the cycles end with 10, 30 and 70. */
  epochs?: readonly number[] | undefined
}

const ways = ['last', 'best', 'every', 'epochs'] as const
type Way = (typeof ways)[number]

const readOptions = optionsOf<FromCheckpointsOptions>()(
  'fromCheckpoints',
  {
    last: checkPositiveInteger,
    best: checkPositiveInteger,
    every: checkPositiveInteger,
    epochs: checkEpochs,
    ...loadedRules,
  },
  ['dir'],
)

function checkEpochs(argument: string, value: unknown): readonly number[] {
  if (!Array.isArray(value) || value.length === 0) throw invalidArgument(argument, 'a list of one epoch or more', value)
  for (const [i, epoch] of value.entries()) {
    checkPositiveInteger(`${argument}[${i}]`, epoch)
    if (value.indexOf(epoch) !== i) throw invalidArgument(`${argument}[${i}]`, 'each epoch once', epoch)
  }
  return value
}

/** See `ensemble.fromCheckpoints`. */
export async function fromCheckpoints(dir: string | URL, options: FromCheckpointsOptions): Promise<Ensemble> {
  const path = checkPath('dir', dir)
  const read = readOptions(options)
  const asked = ways.filter((way) => read[way] !== undefined)
  if (asked.length !== 1) {
    const received = asked.length === 0 ? 'none of them' : asked.join(' and ')
    const message = `fromCheckpoints: expected one of last, best, every and epochs, received ${received}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const found = await new CheckpointFolder(join(path, folderName)).list()
  const bad = found.find(({ problem }) => problem !== null)
  if (bad) throw new GradusError('GRADUS_BAD_FILE', bad.problem!)
  const chosen = choose(endsOfFurthest(found), asked[0]!, read as unknown as Choice, path)
  return await loadMembers(chosen, read).catch((error) => {
    const gone = chosen.find((file) => !existsSync(file))
    if (gone === undefined) throw error
    const message = `${gone} has gone meanwhile: a run under way removes checkpoints that it no longer keeps`
    throw new GradusError('GRADUS_BAD_FILE', message, { cause: error })
  })
}

interface Choice {
  readonly last: number
  readonly best: number
  readonly every: number
  readonly epochs: readonly number[]
}

/** The files, oldest first. */
function choose(ends: readonly Known[], way: Way, asked: Choice, dir: string): string[] {
  if (ends.length === 0) throw tooFew(dir, way, 'a run with checkpoints at the ends of epochs', 'none')
  const epochsOf = (some: readonly Known[]) => some.map(({ head }) => head.epochs)
  const has = `${ends.length}, of epoch${ends.length > 1 ? 's' : ''} ${epochsOf(ends).join(', ')}`
  const chosen = chosenOf(ends, way, asked)
  const missing = way === 'epochs' ? asked.epochs.filter((epoch) => !epochsOf(chosen).includes(epoch)) : []
  if (missing.length > 0) throw tooFew(dir, way, `checkpoints of the ends of epochs ${missing.join(', ')}`, has)
  if (way === 'every' && chosen.length === 0) {
    throw tooFew(dir, way, `checkpoints of each ${asked.every} epochs`, has)
  }
  if ((way === 'last' || way === 'best') && chosen.length < asked[way]) {
    throw tooFew(dir, way, `${asked[way]} checkpoints at the ends of epochs`, has)
  }
  return chosen.map(({ path }) => path)
}

function chosenOf(ends: readonly Known[], way: Way, { last, best, every, epochs }: Choice): readonly Known[] {
  if (way === 'last') return ends.slice(-last)
  if (way === 'every') return ends.filter(({ head }) => head.epochs % every === 0)
  if (way === 'epochs') return ends.filter(({ head }) => epochs.includes(head.epochs))
  const ranked = new Set(ranking(ends, scoreOf(ends.at(-1)!.head)!).slice(0, best))
  return ends.filter((one) => ranked.has(one))
}

function tooFew(dir: string, way: Way, expected: string, received: string): GradusError {
  const advice = "checkpoint({ keep: 'all' }) keeps them"
  return new GradusError(
    'GRADUS_INVALID_ARGUMENT',
    `${way}: expected ${expected} in ${dir}, which has ${received}; ${advice}`,
  )
}
