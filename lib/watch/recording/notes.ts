/** What somebody has written about a run: `notes.json` in its directory. */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { invalidArgument } from '../../errors.js'
import { badFile, readTextWithin, replaceFile } from '../../files.js'
import { parseObject } from '../../json.js'
import { files } from './files.js'

export interface Notes {
  text: string
  tags: readonly string[]
}

const longestText = 10_000
const longestTag = 40
const mostTags = 20
/** A file that is longer was not written by {@link writeNotes}. */
const mostBytes = 1 << 17

export const noNotes: Notes = { text: '', tags: [] }

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= longestText
const isTag = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() === value && value !== '' && value.length <= longestTag
const areTags = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= mostTags && value.every(isTag)

/** Takes what came from elsewhere. Errors: `GRADUS_INVALID_ARGUMENT`. */
export function checkNotes({ text, tags }: Record<string, unknown>): Notes {
  if (!isText(text)) throw invalidArgument('text', `a string of at most ${longestText} characters`, text)
  if (!areTags(tags))
    throw invalidArgument('tags', `at most ${mostTags} strings of 1 to ${longestTag} characters`, tags)
  return { text, tags: [...new Set(tags)] }
}

/** In place of what was there, unless that is a link: it may lead anywhere. Errors: `GRADUS_BAD_FILE`. */
export async function writeNotes(directory: string, notes: Notes): Promise<void> {
  const path = join(directory, files.notes)
  const before = lstatSync(path, { throwIfNoEntry: false })
  if (before && !before.isFile()) throw badFile(path, 'it is no plain file')
  await replaceFile(path, (file) => file.writeFile(JSON.stringify(notes)))
}

/** Reads them again when they have changed; what cannot be read counts as none. */
export class NotesReader {
  readonly #directory: string
  #notes = noNotes
  #seen = ''

  /** `directory` is a real path. */
  constructor(directory: string) {
    this.#directory = directory
  }

  get notes(): Notes {
    return this.#notes
  }

  /** Whether there is something new. */
  refresh(): boolean {
    const stat = lstatSync(join(this.#directory, files.notes), { throwIfNoEntry: false })
    const seen = stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : ''
    if (seen === this.#seen) return false
    this.#seen = seen
    this.#notes = noNotes
    if (stat) this.#read()
    return true
  }

  #read(): void {
    try {
      const text = readTextWithin(this.#directory, files.notes, mostBytes)
      this.#notes = checkNotes(parseObject(text, files.notes))
    } catch {
      // Somebody else wrote it.
    }
  }
}
