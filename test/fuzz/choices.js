/** Reproducible choices: the same words give the same ones (a hash by FNV-1a, then mulberry32). */
export class Choices {
  #state

  constructor(...words) {
    this.#state = 2166136261
    for (const character of words.join(' ')) {
      this.#state = Math.imul(this.#state ^ character.charCodeAt(0), 16777619)
    }
  }

  /** From 0 to below 1. */
  fraction() {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  below(limit) {
    return Math.floor(this.fraction() * limit)
  }

  chance(share) {
    return this.fraction() < share
  }

  of(list) {
    return list[this.below(list.length)]
  }
}
