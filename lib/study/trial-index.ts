/** `masters/index.1.jsonl`: a master's cache of the trials that have ended, a line each. */
import { appendFile, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { isMissing, makeFolder, replaceFile, withFileErrors } from '../files.js'
import { parseObject } from '../json.js'
import { studyFiles } from './layout.js'
import { packNumbers, unpackNumbers } from './packed-numbers.js'
import { type Change, changeOf } from './records.js'
import { Fields, fromNumber, isObject, type Json, type JsonObject, studyFormat } from './values.js'

/** A trial that has ended, as the cache has it. */
export interface Cached {
  readonly number: number
  readonly changes: ReadonlyMap<number, Change>
  readonly epochs: readonly number[]
  readonly values: readonly number[]
}

const indexPath = (study: string, master: number): string => join(study, studyFiles.masters, `index.${master}.jsonl`)

/** The cache of one master: begun whole, then longer by a line a trial that has ended. */
export class IndexWriter {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** Of the trials that have ended so far; those of masters before it go. */
  static async open(study: string, master: number, ended: readonly Cached[]): Promise<IndexWriter> {
    const path = indexPath(study, master)
    await makeFolder(join(study, studyFiles.masters))
    const text = ended.map(lineOf).join('')
    await replaceFile(path, (file) => file.writeFile(text), { sync: false })
    for (const other of await indexesOf(study)) {
      if (other < master) await rm(indexPath(study, other), { force: true }).catch(() => undefined)
    }
    return new IndexWriter(path)
  }

  async add(ended: readonly Cached[]): Promise<void> {
    // Begins a line: what was torn before is a line of its own.
    const text = `\n${ended.map(lineOf).join('')}`
    if (ended.length > 0) await withFileErrors(this.#path, () => appendFile(this.#path, text), 'written')
  }
}

function lineOf({ number, changes, epochs, values }: Cached): string {
  const written = [...changes].map(([at, change]) => {
    const value = 'value' in change && change.value !== null ? { value: fromNumber(change.value) } : {}
    return [at, { format: studyFormat, ...change, ...value }]
  })
  // Most trials report each epoch.
  const isEach = epochs.every((epoch, i) => epoch === i + 1)
  const curve = { epochs: isEach ? null : epochs, values: packNumbers(values) }
  return `${JSON.stringify({ format: studyFormat, number, changes: written, ...curve })}\n`
}

/** From the newest master to the oldest. */
async function indexesOf(study: string): Promise<number[]> {
  const names = await readdir(join(study, studyFiles.masters)).catch((error) => {
    if (isMissing(error)) return []
    throw error
  })
  return names
    .flatMap((name) => /^index\.([1-9]\d{0,8})\.jsonl$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a)
}

/** Lines between which others have their turn, a page's scripts among them: a millisecond or two. */
const linesAtOnce = 32
/** Of which one text is made: of all bytes it would hold up others, and a text a line would be as many as the collector moves. */
const bytesAtOnce = 1 << 18
const newline = 10

/**
 * What the newest cache has, where there is one; of a trial that comes twice the later counts. Lines that are damaged are left
 * out.
 */
export async function* readIndex(study: string): AsyncGenerator<Cached> {
  const [newest] = await indexesOf(study).catch(() => [])
  if (newest === undefined) return
  const path = indexPath(study, newest)
  const bytes = await readFile(path).catch(() => Buffer.alloc(0))
  let count = 0
  for (let from = 0, end = 0; from < bytes.length; from = end) {
    end = bytes.indexOf(newline, from + bytesAtOnce) + 1 || bytes.length
    for (const line of bytes.toString('utf8', from, end).split('\n')) {
      const cached = line === '' ? null : cachedOf(line, path)
      if (cached) yield cached
      if (++count % linesAtOnce === 0) await setImmediate()
    }
  }
}

function cachedOf(line: string, where: string): Cached | null {
  try {
    const fields = Fields.of(parseObject(line, where) as JsonObject, where, ['changes', 'epochs', 'values'])
    const changes = fields.list('changes').map((entry) => changeIn(entry, where))
    const values = unpackNumbers(fields.text('values'))
    const epochs = fields.get('epochs') === null ? eachUpTo(values.length) : (fields.list('epochs') as number[])
    if (!epochs.every(Number.isSafeInteger) || epochs.length !== values.length) return null
    return { number: fields.whole('number'), changes: new Map(changes), epochs, values }
  } catch {
    return null
  }
}

/** 1 … n, of which trials of one length share one list. */
let each: readonly number[] = []

function eachUpTo(count: number): readonly number[] {
  if (each.length !== count) each = Array.from({ length: count }, (_, i) => i + 1)
  return each
}

function changeIn(entry: Json, where: string): [number, Change] {
  const [at, change] = Array.isArray(entry) ? entry : []
  if (!Number.isSafeInteger(at) || !isObject(change)) throw new SyntaxError('it is no change')
  return [at, changeOf(Fields.of(change, where))]
}
