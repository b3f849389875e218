/** Numbers of trials, from small to large, each once. */

export class OrderedNumbers {
  readonly #numbers: number[] = []
  /** The last one of the turn before. */
  #turn = -1

  get size(): number {
    return this.#numbers.length
  }

  /** The smallest one; null where there is none. */
  get first(): number | null {
    return this.#numbers[0] ?? null
  }

  get all(): readonly number[] {
    return this.#numbers
  }

  has(number: number): boolean {
    return this.#numbers[this.#placeOf(number)] === number
  }

  add(number: number): void {
    const place = this.#placeOf(number)
    if (this.#numbers[place] !== number) this.#numbers.splice(place, 0, number)
  }

  delete(number: number): void {
    const place = this.#placeOf(number)
    if (this.#numbers[place] === number) this.#numbers.splice(place, 1)
  }

  /** So many at most: those behind the turn before, or from the first on where that had the last. */
  turn(count: number): readonly number[] {
    const place = this.#placeOf(this.#turn + 1)
    const from = place < this.size ? place : 0
    const some = this.#numbers.slice(from, from + count)
    this.#turn = some.at(-1) ?? -1
    return some
  }

  /** New trials have the largest number. */
  #placeOf(number: number): number {
    const last = this.#numbers.at(-1)
    return last === undefined || last < number ? this.size : placeOf(this.size, (i) => this.#numbers[i]!, number)
  }
}

/** Where in a list in order the first number is that is none below this one. */
export function placeOf(length: number, numberAt: (place: number) => number, number: number): number {
  let [from, to] = [0, length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (numberAt(middle) < number) from = middle + 1
    else to = middle
  }
  return from
}
