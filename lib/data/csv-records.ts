/** Records of a CSV text (RFC 4180), which may come in pieces cut anywhere. */

export interface CsvRecord {
  /** Of the file, from 1: where the record begins. */
  line: number
  cells: string[]
}

/** What a record may be long, so that a text without line ends does not fill the memory. */
const mostCharacters = 1 << 24

const [quote, lineFeed, carriageReturn] = ['"', '\n', '\r']
const [quoteCode, lineFeedCode, carriageReturnCode] = [0x22, 0x0a, 0x0d]

/**
 * Quotes, doubled quotes in them, line breaks in them, any line ending; blanks around cells and lines of nothing but
 * blanks are left out. Throws a sentence with the line of what is malformed.
 */
export class CsvReader {
  readonly #delimiter: string
  readonly #delimiterCode: number
  /** Where the next character stands: before a cell, in one, in quotes, at a quote that may end them, behind those. */
  #state: 'begin' | 'plain' | 'quoted' | 'quote' | 'closed' = 'begin'
  #cells: string[] = []
  #cell = ''
  #characters = 0
  #line = 1
  #firstLine = 1
  #isAfterReturn = false

  /** @param delimiter one character */
  constructor(delimiter: string) {
    this.#delimiter = delimiter
    this.#delimiterCode = delimiter.charCodeAt(0)
  }

  /** The records that end in this piece. */
  *read(text: string): Generator<CsvRecord> {
    for (let at = 0; at < text.length; ) {
      const end = this.#endOfRun(text, at)
      if (end > at) {
        this.#take(text.slice(at, end))
        at = end
        continue
      }
      const sign = text[at++] as string
      const isBreak = sign === lineFeed || sign === carriageReturn
      const isSecond = sign === lineFeed && this.#isAfterReturn
      this.#isAfterReturn = sign === carriageReturn
      if (this.#state === 'quoted') {
        if (sign === quote) this.#state = 'quote'
        else this.#append(sign)
      } else if (sign === quote) {
        this.#quote()
      } else if (sign === this.#delimiter) {
        this.#endCell()
      } else if (!isSecond) {
        if (this.#hasRecord()) yield this.#endRecord()
        else this.#forget()
      }
      if (isBreak && !isSecond) this.#line++
      if (!this.#hasRecord()) this.#firstLine = this.#line
    }
  }

  /** The record that no line break ends. */
  *end(): Generator<CsvRecord> {
    if (this.#state === 'quoted') throw new Error(`line ${this.#firstLine}: a quote is not closed`)
    if (this.#hasRecord()) yield this.#endRecord()
  }

  /** Where the characters end that mean nothing but themselves. */
  #endOfRun(text: string, from: number): number {
    const delimiter = this.#state === 'quoted' ? quoteCode : this.#delimiterCode
    let at = from
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === delimiter || code === quoteCode || code === lineFeedCode || code === carriageReturnCode) break
    }
    return at
  }

  #take(run: string): void {
    this.#isAfterReturn = false
    const isBlank = run.trim() === ''
    if (this.#state === 'quote' || this.#state === 'closed') {
      if (!isBlank) throw this.#unexpected(run)
      this.#state = 'closed'
      return
    }
    if (this.#state === 'begin' && !isBlank) this.#state = 'plain'
    this.#append(run)
  }

  #append(text: string): void {
    this.#count(text.length)
    this.#cell += text
  }

  #count(characters: number): void {
    this.#characters += characters
    if (this.#characters <= mostCharacters) return
    throw new Error(
      `line ${this.#firstLine}: a record of more than ${mostCharacters} characters; is a quote not closed?`,
    )
  }

  #quote(): void {
    if (this.#state === 'quote') {
      this.#append(quote)
      this.#state = 'quoted'
    } else if (this.#state === 'begin') {
      this.#cell = ''
      this.#state = 'quoted'
    } else if (this.#state === 'closed') {
      throw this.#unexpected(quote)
    } else {
      throw new Error(`line ${this.#line}: a quote within the cell ${shown(this.#cell)}, which does not begin with one`)
    }
  }

  #unexpected(found: string): Error {
    return new Error(`line ${this.#line}: expected a delimiter behind a quoted cell, found ${shown(found)}`)
  }

  #endCell(): void {
    this.#count(1)
    const isQuoted = this.#state === 'quote' || this.#state === 'closed'
    this.#cells.push(isQuoted ? this.#cell : this.#cell.trim())
    this.#cell = ''
    this.#state = 'begin'
  }

  #hasRecord(): boolean {
    return this.#state !== 'begin' || this.#cells.length > 0
  }

  #endRecord(): CsvRecord {
    this.#endCell()
    const record = { line: this.#firstLine, cells: this.#cells }
    this.#cells = []
    this.#characters = 0
    return record
  }

  /** A line of nothing but blanks. */
  #forget(): void {
    this.#cell = ''
    this.#characters = 0
  }
}

const shown = (text: string): string => JSON.stringify(text.length > 24 ? `${text.trim().slice(0, 23)}…` : text.trim())
