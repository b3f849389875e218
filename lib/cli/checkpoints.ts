import { basename, join } from 'node:path'
import { CheckpointFolder, folderName, outstanding, withoutPath } from '../checkpoint/folder.js'
import { type CheckpointInfo, checkpoints } from '../checkpoint/list.js'
import { printable } from '../printable.js'
import { checkRun } from './folder.js'

/** Prints the checkpoints of a run; whether one of them is damaged. */
export async function listCheckpoints(
  directory: string,
  { json = false }: { json?: boolean | undefined },
): Promise<boolean> {
  await checkRun(directory)
  const found = await checkpoints(directory)
  if (json) console.log(printable(JSON.stringify(found, null, 2)))
  else if (found.length === 0) console.log('No checkpoints: checkpoint() among the callbacks of fit writes them.')
  else {
    const sound = new Set(found.filter((one) => one.sound).map(({ path }) => path))
    const heads = await new CheckpointFolder(join(directory, folderName)).list()
    console.log(table(found, outstanding(heads.filter(({ path }) => sound.has(path)))))
  }
  return found.some(({ sound }) => !sound)
}

type Outstanding = ReturnType<typeof outstanding>

function table(found: readonly CheckpointInfo[], marked: Outstanding): string {
  const rows = found.map((one) => [
    basename(one.path),
    one.epoch?.toLocaleString('en') ?? '',
    one.step?.toLocaleString('en') ?? '',
    one.score === null ? '' : `${one.column} ${Number(one.score.toPrecision(5))}`,
    sizeText(one.size),
    stateOf(one, marked),
  ])
  const all = [['file', 'epoch', 'step', 'score', 'size', ''], ...rows].map((row) => row.map(printable))
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const pad = (cell: string, column: number) =>
    isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
  return all.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
}

/** Columns that stand at their right. */
const isNumber = (column: number): boolean => [1, 2, 4].includes(column)

function stateOf({ path, problem }: CheckpointInfo, { best, newest }: Outstanding): string {
  if (problem !== null) return `damaged: ${withoutPath(problem, path)}`
  return ['sound', ...(path === best ? ['best'] : []), ...(path === newest ? ['newest'] : [])].join(', ')
}

function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  return `${Number((bytes / 2 ** (10 * unit)).toPrecision(3))} ${units[unit]}`
}
