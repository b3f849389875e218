/** Long enough that the way there and back costs nothing, short enough for a lively progress bar and a quick stop. */
const callMilliseconds = 50

/** How many updates go into one native call: measured as training goes. The number changes no result. */
export class Pace {
  #next = 1

  next(): number {
    return this.#next
  }

  add(updates: number, milliseconds: number): void {
    if (updates === 0) return
    const fitting = Math.floor((callMilliseconds * updates) / Math.max(milliseconds, 1e-3))
    this.#next = Math.max(1, Math.min(fitting, 4 * this.#next))
  }
}
