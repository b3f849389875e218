// All of something under `npm run soak:faults`, in `npm test` a few of it: always the same, drawn by a seed.
import { createHash } from 'node:crypto'

export const isSoak = process.env.GRADUS_SOAK === '1'

/** `count` of the list, in its order, or all of them. `GRADUS_SEED` draws others. */
export function sampled(list, count, seed = '') {
  if (isSoak || list.length <= count) return [...list]
  const rank = (i) =>
    createHash('sha256')
      .update(`${process.env.GRADUS_SEED ?? 1} ${seed} ${i}`)
      .digest('hex')
  const ranks = list.map((_, i) => rank(i))
  const last = [...ranks].sort()[count - 1]
  return list.filter((_, i) => ranks[i] <= last)
}

/** A word now and then, where something takes long. */
export function progress(done, all, what) {
  if (isSoak && done % 50 === 0) console.log(`${what}: ${done} of ${all}`)
}
