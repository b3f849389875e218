/** How many examples a check takes unless it is told. */
import { hasConvolutions, multiplyAdds } from '../../model/costs.js'
import type { Lowered } from '../../model/lower.js'

const most = 32
/** Batch norm and whatever else mixes examples needs two. */
const least = 2
/** Multiply-adds of one forward pass: a check makes some hundred of them for each tensor. */
const affordable = 1e8

/** Of images fewer, as one costs so much more. */
export function affordableExamples(lowered: Lowered): number {
  if (!hasConvolutions(lowered)) return most
  const ofOne = multiplyAdds(lowered).reduce((sum, cost) => sum + cost, 0)
  return Math.min(most, Math.max(least, Math.floor(affordable / ofOne)))
}
