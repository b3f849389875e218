/** A line of the journal that is longer is no record. */
const longestLine = 1 << 24
const newline = 10

/** Bytes that come in pieces, as lines. A last line without an end waits for it. */
export class Lines {
  /** Of the line that is not ended yet. */
  #pieces: Buffer[] = []
  #length = 0

  /** A copy: what brought the bytes uses its memory again. */
  #keep(rest: Buffer): void {
    this.#length += rest.length
    if (this.#length > longestLine) this.#pieces = []
    else if (rest.length > 0) this.#pieces.push(Buffer.from(rest))
  }

  /** The lines that end in these bytes, in the same memory; those that are too long are left out. */
  *add(bytes: Buffer): Generator<Buffer> {
    let begin = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, begin)) {
      const last = bytes.subarray(begin, end)
      begin = end + 1
      if (this.#length === 0) yield last
      else if (this.#length + last.length <= longestLine) yield Buffer.concat([...this.#pieces, last])
      this.#pieces = []
      this.#length = 0
    }
    this.#keep(bytes.subarray(begin))
  }
}
