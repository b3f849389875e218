/** The binary version of CIFAR-10 (Krizhevsky, "Learning multiple layers of features from tiny images", 2009). */
import { invalidArgument } from '../errors.js'
import { badFile, type FileSource } from '../files.js'
import { optionsOf } from '../options.js'
import { toChannelsLast } from './channels.js'
import type { Table } from './column.js'
import { type ReadOptions, readBytes, readRules } from './file.js'

const readOptions = optionsOf<ReadOptions>()('readCifar10', readRules, ['files'])

const classes = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'] as const
const shape = [3, 32, 32]
const pixels = 3 * 32 * 32

/** What {@link readCifar10} gives. */
export interface Cifar10 {
  /** Bytes, [rows, 32, 32, 3]. */
  x: Table & { data: Uint8Array; shape: number[] }
  /** Class numbers, [rows]. */
  y: Table & { data: Uint8Array; shape: number[] }
  classes: readonly string[]
}

/**
 * Reads files of CIFAR-10's binary version, plain or packed by gzip, in the order given: `data_batch_1.bin` and so on. A record is a
 * class number and 32 × 32 red, green and blue bytes.
 *
 * @throws `GRADUS_BAD_FILE` says what is wrong with the file.
 * @example
 * const train = await readCifar10([1, 2, 3, 4, 5].map((i) => `cifar-10-batches-bin/data_batch_${i}.bin`))
 */
export async function readCifar10(files: FileSource | readonly FileSource[], options?: ReadOptions): Promise<Cifar10> {
  const { maxBytes } = readOptions(options)
  const list: readonly FileSource[] = Array.isArray(files) ? files : [files]
  if (list.length === 0) throw invalidArgument('files', 'at least one file', files)
  const parts: Uint8Array[] = []
  for (const file of list) parts.push(checked(file, await readBytes(file, maxBytes)))
  const rows = parts.reduce((sum, { length }) => sum + length / (pixels + 1), 0)
  const planes = new Uint8Array(rows * pixels)
  const labels = new Uint8Array(rows)
  let row = 0
  for (const part of parts) {
    for (let at = 0; at < part.length; at += pixels + 1, row++) {
      labels[row] = part[at]!
      planes.set(part.subarray(at + 1, at + 1 + pixels), row * pixels)
    }
  }
  const x = toChannelsLast({ data: planes, shape: [rows, ...shape] }) as Cifar10['x']
  return { x, y: { data: labels, shape: [rows] }, classes }
}

function checked(file: FileSource, bytes: Uint8Array): Uint8Array {
  const record = pixels + 1
  if (bytes.length === 0 || bytes.length % record !== 0) {
    throw badFile(
      file,
      `not CIFAR-10's binary version: expected records of ${record} bytes, found ${bytes.length} bytes`,
    )
  }
  for (let at = 0; at < bytes.length; at += record) {
    if (bytes[at]! < classes.length) continue
    throw badFile(file, `record ${at / record}: expected a class number from 0 to 9, found ${bytes[at]}`)
  }
  return bytes
}
