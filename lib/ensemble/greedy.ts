/** Which members to take, and how often: greedy selection on columns of numbers, one column a member. */
import { setImmediate as nextTick } from 'node:timers/promises'
import { permutation } from '../data/random.js'

/** Members as what they add to a sum, and what a sum is worth. */
export interface Library {
  /** One a member, all of one length: the mean of some is what those say together. */
  readonly contributions: readonly Float64Array[]
  /** Of the sum of so many contributions; larger is better, NaN worst. */
  worth(sum: Float64Array, count: number): number | Promise<number>
}

export interface Greed {
  /** Picks at most, those that it begins with among them. */
  readonly picks: number
  /** Begins with at most so many of the best. */
  readonly start: number
}

/** Milliseconds of work before the event loop has its turn. */
const turn = 20

/**
 * Caruana, Niculescu-Mizil, Crew and Ksikes 2004: begins with as many of the best as are best together, adds whichever makes
 * the whole best, also again, and keeps what was best on the way. Of equal ones the first counts.
 *
 * @param from - numbers of the members that may be picked, rising
 * @returns the picks in order
 */
export async function greedyPicks(
  library: Library,
  from: readonly number[],
  { picks, start }: Greed,
): Promise<number[]> {
  let began = performance.now()
  const breathe = async () => {
    if (performance.now() - began < turn) return
    await nextTick()
    began = performance.now()
  }
  const alone: { member: number; worth: number }[] = []
  for (const member of from) {
    alone.push({ member, worth: await worthOf(library, [member]) })
    await breathe()
  }
  const ranked = alone.sort((a, b) => compare(b.worth, a.worth) || a.member - b.member).map(({ member }) => member)
  const begins = Array.from({ length: Math.min(start, picks, ranked.length) }, (_, i) => ranked.slice(0, i + 1))
  let best = { picked: begins[0]!, worth: Number.NaN }
  for (const picked of begins) best = better(best, { picked, worth: await worthOf(library, picked) })
  let at = best
  while (at.picked.length < picks) {
    const sum = sumOf(library, at.picked)
    let next: typeof at | null = null
    for (const member of from) {
      const picked = [...at.picked, member]
      const worth = await library.worth(added(sum, library.contributions[member]!), picked.length)
      next = next === null ? { picked, worth } : better(next, { picked, worth })
      await breathe()
    }
    at = next!
    best = better(best, at)
  }
  return best.picked
}

/** NaN is below all. */
const compare = (a: number, b: number): number =>
  Number.isNaN(a) || Number.isNaN(b) ? Number(Number.isNaN(b)) - Number(Number.isNaN(a)) : a === b ? 0 : a < b ? -1 : 1

const better = <One extends { worth: number }>(a: One, b: One): One => (compare(b.worth, a.worth) > 0 ? b : a)

/** What the mean of some members is worth. */
export const worthOf = (library: Library, members: readonly number[]): number | Promise<number> =>
  library.worth(sumOf(library, members), members.length)

function sumOf({ contributions }: Library, members: readonly number[]): Float64Array {
  let sum = new Float64Array(contributions[members[0]!]!.length)
  for (const member of members) sum = added(sum, contributions[member]!)
  return sum
}

function added(a: Float64Array, b: Float64Array): Float64Array<ArrayBuffer> {
  const sum = new Float64Array(a.length)
  for (let i = 0; i < sum.length; i++) sum[i] = a[i]! + b[i]!
  return sum
}

export interface Bagging extends Greed {
  readonly bags: number
  /** Of the members, in each bag. */
  readonly fraction: number
  readonly seed: number
}

/**
 * How often each member is picked, over bags of some of the members each: one that shines by chance is not in all of them
 * (Caruana, Munson and Niculescu-Mizil 2006).
 */
export async function baggedCounts(library: Library, { bags, fraction, seed, ...greed }: Bagging): Promise<number[]> {
  const members = library.contributions.length
  const counts = new Array<number>(members).fill(0)
  const size = Math.max(1, Math.round(fraction * members))
  for (let bag = 0; bag < bags; bag++) {
    const drawn = permutation(members, (seed + bag) % 2 ** 53)
      .slice(0, size)
      .sort()
    for (const member of await greedyPicks(library, [...drawn], greed)) counts[member]!++
  }
  return counts
}

/** Of each member its count; only of the `size` with the highest, the first of equal ones. Highest first. */
export const mostPicked = (counts: readonly number[], size: number): { index: number; count: number }[] =>
  counts
    .map((count, index) => ({ index, count }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || a.index - b.index)
    .slice(0, size)
