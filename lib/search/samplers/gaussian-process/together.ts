/** Searches side by side, whose function is cheaper for many points at once than for one after the other. */

interface Waiting<Asked, Answer> {
  readonly asked: Asked
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** Answers when each of the searches that have not ended waits for an answer. */
export class Together<Asked, Answer> {
  readonly #answer: (asked: readonly Asked[]) => readonly Answer[]
  #waiting: Waiting<Asked, Answer>[] = []
  #searches: number

  /** @param searches how many there are; each is to `leave` at its end */
  constructor(searches: number, answer: (asked: readonly Asked[]) => readonly Answer[]) {
    this.#searches = searches
    this.#answer = answer
  }

  ask(asked: Asked): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ asked, resolve, reject })
      this.#answerAll()
    })
  }

  leave(): void {
    this.#searches--
    this.#answerAll()
  }

  #answerAll(): void {
    if (this.#waiting.length === 0 || this.#waiting.length < this.#searches) return
    const waiting = this.#waiting
    this.#waiting = []
    try {
      const answers = this.#answer(waiting.map(({ asked }) => asked))
      for (const [i, { resolve }] of waiting.entries()) resolve(answers[i]!)
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }
}
