/**
 * Lines at the bottom of a terminal that change in place while all else scrolls above them. Whoever else writes finds them
 * gone: what others say is neither mixed with them nor lost.
 */
export class LiveLines {
  readonly #stream: NodeJS.WriteStream
  #shown: readonly string[] = []
  #unhook = () => {}
  /** The reader of a pipe has gone, or the terminal: nobody sees what is written, and nothing ends because of that. */
  #isGone = false
  readonly #onError = () => {
    this.#isGone = true
  }

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  /** From here until `close` errors of the stream are no errors of the process. */
  open(): void {
    this.#stream.on('error', this.#onError)
  }

  close(): void {
    // Errors of the last write come after it.
    setImmediate(() => this.#stream.off('error', this.#onError))
  }

  get #columns(): number {
    return this.#stream.columns || 80
  }

  /** Rows that text takes now: terminals wrap what they have shown anew when they get narrower. */
  #rows(text: string): number {
    return Math.max(1, Math.ceil(text.length / this.#columns))
  }

  /** Puts these lines in place of those before. Lines that are too long are cut. */
  draw(lines: readonly string[]): void {
    const cut = lines.map((line) => line.slice(0, this.#columns - 1))
    this.#write(`${this.#toTop()}${cut.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`)
    this.#shown = cut
    this.#hook()
  }

  /** A plain line above them, with which they move down. */
  print(line: string): void {
    if (this.#shown.length === 0) {
      this.#write(`${line}\n`)
      return
    }
    const [shown, more] = [this.#shownRows(), this.#rows(line)]
    const room = `${'\n'.repeat(more)}\x1b[${shown + more}A\x1b[${more}L`
    this.#write(`${room}${line}\x1b[${shown + 1}B\r`)
    this.#hook()
  }

  clear(): void {
    if (this.#shown.length === 0) return
    const top = this.#toTop()
    this.#shown = []
    this.#write(`${top}\x1b[J`)
  }

  #shownRows(): number {
    return this.#shown.reduce((rows, line) => rows + this.#rows(line), 0)
  }

  /** The cursor waits on an empty line below them, which no terminal wraps, and where a crash may leave its message. */
  #toTop(): string {
    const up = this.#shownRows()
    return `\r${up > 0 ? `\x1b[${up}A` : ''}`
  }

  #write(text: string): void {
    this.#unhook()
    if (!this.#isGone) this.#stream.write(text)
  }

  /** Until the next write of our own. Node.js's warnings pass by the streams, but not by a listener before its own. */
  #hook(): void {
    let isOn = true
    const clear = () => {
      if (isOn) this.clear()
    }
    const terminals = [process.stdout, process.stderr].filter(({ isTTY }) => isTTY)
    const restore = [...new Set([this.#stream, ...terminals])].map((stream) => {
      const { write } = stream
      const hooked = (...parts: Parameters<typeof write>) => {
        clear()
        return write.apply(stream, parts)
      }
      stream.write = hooked as typeof write
      return () => {
        if (stream.write === hooked) stream.write = write
      }
    })
    process.prependListener('warning', clear)
    this.#unhook = () => {
      // Whoever has wrapped the stream's write meanwhile goes on calling what was there: it then only passes on.
      isOn = false
      for (const one of restore) one()
      process.off('warning', clear)
      this.#unhook = () => {}
    }
  }
}
