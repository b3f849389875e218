/** Rows to train on and to hold out, such that rare classes have their share of both. */
import { permutation } from '../../../data/random.js'
import { type Context, forEachNumber } from '../context.js'

/** The share that is held out of each class, and classes whose rows would do, the most frequent ones. */
const [heldShare, enoughClasses] = [0.2, 10]
/** The largest class has no more than so many times the examples of the second, and need not have fewer than this. */
const [mostTimes, alwaysEnough] = [4, 200]

export interface DrawnRows {
  readonly trained: Uint32Array
  readonly held: Uint32Array
  /** Whether there are enough of all but the largest class that a failure to tell them apart means something. */
  readonly isEnough: boolean
}

/** Fewest of the second largest class in training, and of all but the largest held out. */
const [leastOfSecond, leastOfOthers] = [16, 8]

/** At most `most` rows, spread over all of them, with classes evened out. The seed says which of them are held out. */
export async function drawRows(context: Context, most: number, seed: number): Promise<DrawnRows> {
  const classified = await classesOf(context)
  const [trained, held]: [number[], number[]] = [[], []]
  const heldOf: number[] = []
  const drawn = drawEvenly(classified, most)
  for (const rows of drawn.values()) {
    const order = permutation(rows.length, seed)
    const count = Math.floor(heldShare * rows.length)
    heldOf.push(count)
    for (const [i, place] of order.entries()) (i < count ? held : trained).push(rows[place]!)
  }
  const others = held.length - (heldOf[0] ?? 0)
  const second = [...drawn.values()][1]?.length ?? 0
  const isEnough = !classified.hasClasses || (others >= leastOfOthers && (1 - heldShare) * second >= leastOfSecond)
  return { trained: Uint32Array.from(trained), held: Uint32Array.from(held), isEnough }
}

/** Rows with weights by which each class counts alike. */
export async function evenRows(context: Context, most: number): Promise<{ rows: Uint32Array; weights: Float32Array }> {
  const drawn = [...drawEvenly(await classesOf(context), most).values()]
  return {
    rows: Uint32Array.from(drawn.flat()),
    weights: Float32Array.from(drawn.flatMap((rows) => rows.map(() => 1 / rows.length))),
  }
}

interface Classified {
  readonly classOf: Uint32Array
  readonly counts: ReadonlyMap<number, number>
  readonly hasClasses: boolean
}

/** The rows drawn of each class, the largest class first. */
function drawEvenly({ classOf, counts, hasClasses }: Classified, most: number): Map<number, number[]> {
  const byCount = [...counts.entries()].sort((a, b) => b[1] - a[1])
  const second = byCount[1]?.[1] ?? 0
  const share = Math.floor(most / Math.min(Math.max(1, byCount.length), enoughClasses))
  const quota = hasClasses ? Math.min(share, Math.max(alwaysEnough, mostTimes * second)) : most
  // As many of the most frequent classes as are needed.
  let total = 0
  const wanted = byCount.filter(([, count]) => {
    const isWanted = total < most
    total += Math.min(count, quota)
    return isWanted
  })
  const left = new Map(wanted.map(([label, count]) => [label, { count, quota: Math.min(quota, count), seen: 0 }]))
  const drawn = new Map<number, number[]>(wanted.map(([label]) => [label, []]))
  for (let row = 0; row < classOf.length; row++) {
    const of = left.get(classOf[row]!)
    if (!of) continue
    // Evenly spread: the n-th is taken where n · quota / count passes a whole number.
    if (Math.floor(((of.seen + 1) * of.quota) / of.count) > Math.floor((of.seen * of.quota) / of.count)) {
      drawn.get(classOf[row]!)!.push(row)
    }
    of.seen++
  }
  return drawn
}

/** The class of each row: its label, its likeliest class, whether any answer is yes; all alike for quantities. */
async function classesOf(context: Context): Promise<Classified> {
  const column = context.targetColumn()!
  const { kind } = context.model.loss
  const classOf = new Uint32Array(context.rows)
  if (context.hasLabels) await forEachNumber(column, (label, row) => (classOf[row] = label))
  else if (kind === 'softmax_cross_entropy') {
    const best = new Float64Array(context.rows).fill(Number.NEGATIVE_INFINITY)
    await forEachNumber(column, (share, row, element) => {
      if (share > best[row]!) [best[row], classOf[row]] = [share, element]
    })
  } else if (kind === 'binary_cross_entropy') {
    await forEachNumber(column, (answer, row) => (classOf[row]! |= answer > 0.5 ? 1 : 0))
  }
  const counts = new Map<number, number>()
  for (const label of classOf) counts.set(label, (counts.get(label) ?? 0) + 1)
  return { classOf, counts, hasClasses: context.hasLabels || kind.endsWith('cross_entropy') }
}
