import type { Histogram } from './histogram.js'

/** What there is to say of one step or epoch, by tag. */
export interface Point {
  step: number
  scalars: Record<string, number>
  histograms?: Record<string, Histogram> | undefined
}
