/** How an ensemble grows better with each member. */
import { setImmediate as nextTick } from 'node:timers/promises'
import { permutation } from '../data/random.js'
import { type Figures, figuresOf } from './figures.js'
import type { Growing } from './growing.js'
import type { Task } from './task.js'

/** The orders in which members come, at least, and no more where there are that many members. */
const orderCount = 20

export interface CurveAsked {
  readonly task: Task
  readonly growing: Growing
  readonly temperature: number
  /** Those that count. */
  readonly members: readonly number[]
  readonly seed: number
  readonly signal?: AbortSignal | undefined
}

/**
 * The figures by count from 2 up, each the mean over at least 20 orders. An order is a seeded shuffle or one of its rotations, so
 * that each member is as often among the first so many as any other; of more than 20 members not all rotations are looked at.
 */
export async function figuresByCount(asked: CurveAsked): Promise<Figures[]> {
  const { task, growing, temperature, members, signal } = asked
  const sums: Record<string, number>[] = members.slice(1).map(() => ({}))
  const orders = ordersOf(members, asked.seed)
  for (const order of orders) {
    let count = 0
    for (const scores of growing(order)) {
      if (count++ === 0) continue
      for (const [name, value] of Object.entries(figuresOf(task, scores, temperature))) {
        const sum = sums[count - 2]!
        sum[name] = (sum[name] ?? 0) + value / orders.length
      }
      await nextTick()
      signal?.throwIfAborted()
    }
  }
  return sums
}

function ordersOf(members: readonly number[], seed: number): number[][] {
  const { length } = members
  const orders: number[][] = []
  for (let shuffle = 0; orders.length < orderCount; shuffle++) {
    const places = Array.from(permutation(length, (seed + shuffle) % Number.MAX_SAFE_INTEGER), (at) => members[at]!)
    const steps = Math.min(length, orderCount)
    for (let step = 0; step < steps; step++) {
      const start = Math.floor((step * length) / steps)
      orders.push([...places.slice(start), ...places.slice(0, start)])
    }
  }
  return orders
}
