/** Reads JSON whose form is known, so that what has another form is refused where it begins, however long it is. */
import { GradusError } from '../errors.js'

/** Throws GRADUS_BAD_FILE. */
export class JsonReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** The keys of the object that begins here. Whoever takes one reads its value before the next. */
  *keys(): Generator<string> {
    this.#expect('{')
    const seen = new Set<string>()
    if (this.#take('}')) return
    do {
      const key = this.string()
      if (seen.has(key)) throw malformed(`the header has the key ${short(key)} twice in one object`)
      seen.add(key)
      this.#expect(':')
      yield key
    } while (this.#take(','))
    this.#expect('}')
  }

  /** Whether an object begins here, or a string. */
  begins(character: '{' | '"'): boolean {
    return this.#next() === character
  }

  string(): string {
    if (!this.begins('"')) throw notJson()
    const begin = this.#at
    this.#at = endOfString(this.#text, begin) + 1
    return parseString(this.#text.slice(begin, this.#at))
  }

  /** At most 32 whole numbers from 0 up, exact; undefined where something else stands. */
  lengths(): number[] | undefined {
    if (!this.#take('[')) return undefined
    const lengths: number[] = []
    if (this.#take(']')) return lengths
    do {
      this.#next()
      digits.lastIndex = this.#at
      const number = Number(digits.exec(this.#text)?.[0])
      if (!Number.isSafeInteger(number) || lengths.length === 32) return undefined
      lengths.push(number)
      this.#at = digits.lastIndex
    } while (this.#take(','))
    return this.#take(']') ? lengths : undefined
  }

  end(): void {
    if (this.#next() !== undefined) throw notJson()
  }

  #next(): string | undefined {
    while (spaces.has(this.#text.charCodeAt(this.#at))) this.#at++
    return this.#text[this.#at]
  }

  #take(character: string): boolean {
    if (this.#next() !== character) return false
    this.#at++
    return true
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw notJson()
  }
}

const spaces = new Set([0x20, 0x09, 0x0a, 0x0d])
const digits = /\d+/y

function parseString(json: string): string {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw notJson(error)
  }
}

const malformed = (what: string, cause?: unknown) =>
  new GradusError('GRADUS_BAD_FILE', what, cause === undefined ? undefined : { cause })

export const notJson = (cause?: unknown): GradusError => malformed('the header is not JSON in UTF-8', cause)

/** A value from a file, in as much as a line can hold. */
export function short(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

/** As `JSON.parse`, which takes seconds for lists in lists in lists: no deeper than `deepest`. */
export function parseShallow(json: string): unknown {
  let depth = 0
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i)
    if (code === 0x22) i = endOfString(json, i)
    else if (code === 0x5b || code === 0x7b) depth++
    else if (code === 0x5d || code === 0x7d) depth--
    if (depth > deepest) throw malformed(`expected lists and objects at most ${deepest} deep`)
  }
  return JSON.parse(json)
}

const deepest = 100

/** Of the string that begins at `i`; the text's end where it has none. */
function endOfString(json: string, i: number): number {
  for (i++; i < json.length && json.charCodeAt(i) !== 0x22; i++) if (json.charCodeAt(i) === 0x5c) i++
  return i
}
