/** The folder `best`: the best checkpoints under names that `ls` sorts. They are for people; nothing is read from them. */
import { lstat, readdir, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, isMissing, makeFolders, withFileErrors } from '../files.js'
import { folderOf, studyFiles } from './layout.js'
import { linkOrCopy } from './take-trial.js'

/** A trial's best checkpoint. */
export interface BestTrial {
  readonly trial: number
  readonly value: number
  readonly epoch: number
  /** The checkpoint. */
  readonly path: string
}

/** How many the folder has. */
export const mostBest = 10

type Scored = Pick<BestTrial, 'trial' | 'value'>

/** Best first; of equal ones the earlier. */
export function bestFirst(direction: 'minimize' | 'maximize'): (a: Scored, b: Scored) => number {
  const sign = direction === 'maximize' ? -1 : 1
  return (a, b) => sign * (a.value - b.value) || a.trial - b.trial
}

/** Of these the ten best, best first. */
export function bestOf(trials: readonly BestTrial[], direction: 'minimize' | 'maximize'): BestTrial[] {
  const ranked = trials.filter(({ value }) => Number.isFinite(value))
  return ranked.sort(bestFirst(direction)).slice(0, mostBest)
}

/**
 * Makes the folder hold these, as hard links, or copies where the file system has none. Several processes may do so at once:
 * the last one is right.
 */
export async function linkBest(study: string, best: readonly BestTrial[]): Promise<void> {
  const folder = join(study, studyFiles.best)
  await withFileErrors(
    folder,
    async () => {
      await makeFolders(folder)
      const names = namesOf(best)
      for (const [i, { path }] of best.entries()) await put(path, join(folder, names[i]!))
      for (const name of await readdir(folder)) {
        if (isOurs(name) && !names.includes(name)) await rm(join(folder, name), { force: true })
      }
    },
    'written',
  )
}

async function put(checkpoint: string, path: string): Promise<void> {
  const target = await lstat(checkpoint).catch(() => null)
  const there = await lstat(path).catch(() => null)
  // Gone meanwhile, as a better one has come: whoever wrote that sees to the folder next.
  if (target === null) return
  if (there && (there.ino === target.ino || there.nlink === 1) && there.size === target.size) return
  if (there) await unlink(path).catch(unlessMissing)
  await linkOrCopy(checkpoint, path).catch((error) => {
    if (codeOf(error) !== 'EEXIST') return unlessMissing(error)
  })
}

function unlessMissing(error: unknown): void {
  if (!isMissing(error)) throw error
}

/** Other files that people put there stay. */
const isOurs = (name: string): boolean => /,trial=\d+,epoch=\d+\.safetensors$/.test(name)

/** `0.9841,trial=00042,epoch=012.safetensors`: digits alike in all, so that their order is that of the values. */
export function namesOf(best: readonly BestTrial[]): string[] {
  const scores = scoreTexts(best.map(({ value }) => value))
  return best.map(({ trial, epoch }, i) => {
    return `${scores[i]},trial=${folderOf(trial)},epoch=${String(epoch).padStart(3, '0')}.safetensors`
  })
}

/** At least four digits behind the first that counts of the smallest. */
function scoreTexts(values: readonly number[]): string[] {
  const sizes = values.map(Math.abs).filter((size) => size > 0)
  const [least, most] = [Math.min(1, ...sizes), Math.max(1, ...sizes)]
  if (least < 1e-12 || most >= 1e15) return values.map((value) => value.toExponential(4))
  const decimals = Math.min(20, 3 + Math.max(1, Math.ceil(-Math.log10(least))))
  const texts = values.map((value) => Math.abs(value).toFixed(decimals))
  const width = Math.max(0, ...texts.map(({ length }) => length))
  return texts.map((text, i) => (values[i]! < 0 ? '-' : '') + text.padStart(width, '0'))
}
