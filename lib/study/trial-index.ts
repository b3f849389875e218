/** `masters/index.1.bin`: a master's cache of the trials that have ended, a row each. */
import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { isMissing, makeFolder, replaceFile, withFileErrors } from '../files.js'
import { parseObject } from '../json.js'
import { CachedTrial } from './cached-trial.js'
import { type FlatSpace, flatSpace } from './flat-space.js'
import { studyFiles } from './layout.js'
import { readSpace } from './plans.js'
import { readFrom } from './read.js'
import { readStudy } from './study.js'
import type { Trial } from './trial.js'
import { type Rows, rowOf, wordBytes, wordsOf } from './trial-row.js'
import { Fields, type JsonObject } from './values.js'

/** Rows are as this version writes them; of others nothing is read, and the next master writes them anew. */
const indexFormat = 2

const indexPath = (study: string, master: number): string => join(study, studyFiles.masters, `index.${master}.bin`)

/** The cache of one master: begun whole, then longer by a row a trial that has ended. */
export class IndexWriter {
  readonly #path: string
  readonly #space: FlatSpace
  /** Where the last whole row ends: what a full disk has taken only the half of is written over. */
  #end: number

  private constructor(path: string, space: FlatSpace, end: number) {
    this.#path = path
    this.#space = space
    this.#end = end
  }

  /** Of the trials that have ended so far; those of masters before it go. */
  static async open(study: string, master: number, ended: readonly Trial[]): Promise<IndexWriter> {
    const path = indexPath(study, master)
    const space = flatSpace(await readSpace(study, await readStudy(study)))
    await makeFolder(join(study, studyFiles.masters))
    const bytes = Buffer.concat([headerOf(space), rowsOf(ended, space)])
    await replaceFile(path, (file) => file.writeFile(bytes), { sync: false })
    for (const { name, number, isOurs } of await indexesOf(study)) {
      if (number < master || !isOurs)
        await rm(join(study, studyFiles.masters, name), { force: true }).catch(() => undefined)
    }
    return new IndexWriter(path, space, bytes.length)
  }

  /** Nothing is written where somebody has deleted it. */
  async add(ended: readonly Trial[]): Promise<void> {
    const bytes = rowsOf(ended, this.#space)
    if (bytes.length === 0) return
    await withFileErrors(this.#path, () => this.#write(bytes), 'written').catch((error) => {
      if (!isMissing(error)) throw error
    })
  }

  async #write(bytes: Buffer): Promise<void> {
    const file = await open(this.#path, 'r+')
    try {
      for (let done = 0; done < bytes.length; )
        done += (await file.write(bytes, done, bytes.length - done, this.#end + done)).bytesWritten
    } finally {
      await file.close()
    }
    this.#end += bytes.length
  }
}

/** A line for people and for who reads it, as long as some words are. */
function headerOf({ key, parameters }: FlatSpace): Buffer {
  const line = JSON.stringify({ format: indexFormat, space: key, parameters: parameters.length })
  return Buffer.from(`${line.padEnd(wordBytes * Math.ceil((line.length + 1) / wordBytes) - 1)}\n`)
}

const rowsOf = (trials: readonly Trial[], space: FlatSpace): Buffer =>
  Buffer.concat(trials.flatMap((trial) => rowOf(trial, space) ?? []))

/** From the newest master to the oldest; not ours are those of earlier versions. */
async function indexesOf(study: string): Promise<{ name: string; number: number; isOurs: boolean }[]> {
  const names = await readdir(join(study, studyFiles.masters)).catch((error) => {
    if (isMissing(error)) return []
    throw error
  })
  return names
    .flatMap((name) => {
      const [, number, kind] = /^index\.([1-9]\d{0,8})\.(bin|jsonl)$/.exec(name) ?? []
      return number === undefined ? [] : [{ name, number: Number(number), isOurs: kind === 'bin' }]
    })
    .sort((a, b) => b.number - a.number)
}

/** Rows between which others have their turn, a page's scripts among them: a millisecond or two. */
const rowsAtOnce = 1024
/** More is not read at once; the trials behind it are in their folders. */
const mostBytes = 1 << 28
const longestHeader = 1 << 10
const newline = 10

/**
 * What the newest cache has, where there is one, some trials at a time; of a trial that comes twice the later counts. It ends at
 * the first row that is damaged.
 */
export async function* readIndex(study: string): AsyncGenerator<readonly CachedTrial[]> {
  const rows = await rowsIn(study).catch(() => null)
  if (rows === null) return
  let trials: CachedTrial[] = []
  for (let from = 0, words = -1; words !== 0; from += words) {
    words = wordsOf({ rows, from })
    if (words > 0) trials.push(new CachedTrial({ rows, from }))
    if (words > 0 && trials.length < rowsAtOnce) continue
    yield trials
    trials = []
    await setImmediate()
  }
}

async function rowsIn(study: string): Promise<Rows | null> {
  const newest = (await indexesOf(study)).find(({ isOurs }) => isOurs)
  const path = newest && indexPath(study, newest.number)
  const bytes = path && readFrom(path, 0, mostBytes)
  if (!bytes) return null
  const begin = bytes.subarray(0, longestHeader).indexOf(newline) + 1
  const header = parseObject(bytes.toString('latin1', 0, begin), path) as JsonObject
  if (header.format !== indexFormat || begin % wordBytes !== 0) return null
  const fields = new Fields(path, header)
  const whole = bytes.subarray(begin, bytes.length - ((bytes.length - begin) % wordBytes))
  const words = new Float64Array(whole.buffer, whole.byteOffset, whole.length / wordBytes)
  const halves = new Int32Array(words.buffer, words.byteOffset, 2 * words.length)
  return { path: study, words, halves, bytes: whole, key: fields.text('space'), parameters: fields.whole('parameters') }
}
