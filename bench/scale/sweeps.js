// The nets along which the cost of a step is followed, and what work is in them.
import { freemem } from 'node:os'

const powersOfTwo = (from, to) => Array.from({ length: Math.log2(to / from) + 1 }, (_, i) => from * 2 ** i)

const square = (width, layers, last) => [...Array.from({ length: layers }, () => width), last]

/** A layer of about so many parameters, its bias among them. */
function layerOf(parameters) {
  const inputs = Math.round(Math.sqrt(parameters))
  return [inputs, Math.round(parameters / (inputs + 1))]
}

/** at: where on the axis; net: widths and batch, as the program takes them. */
const point = (at, widths, batch) => ({ at, widths, batch, net: `${widths.join()}@${batch}` })

/** Every so many of the points, the last among them, when it must be quick. */
const fewer = (points, quick) => (quick ? points.filter((_, i) => (points.length - 1 - i) % 4 === 0) : points)

/** Along each of them an operand is used as often from one point to the next, or more often. */
export const sweeps = (quick) => [
  {
    name: 'batch',
    title: '784-512-512-10',
    what: 'step',
    points: fewer(powersOfTwo(1, 4096), quick).map((batch) => point(batch, [784, 512, 512, 10], batch)),
  },
  {
    name: 'width',
    title: 'W-W-W-10, batch 64',
    what: 'step',
    points: fewer(powersOfTwo(16, 4096), quick).map((width) => point(width, square(width, 3, 10), 64)),
  },
  {
    name: 'depth',
    title: 'layers of 64-64, batch 64',
    what: 'step',
    points: fewer(powersOfTwo(1, 64), quick).map((depth) => point(depth, square(64, depth, 64), 64)),
  },
  {
    name: 'parameters',
    title: 'update alone, Adam',
    what: 'update',
    points: fewer([1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8], quick).map((n) => point(n, layerOf(n), 1)),
  },
]

const layers = (widths) => widths.slice(1).map((outputs, i) => ({ inputs: widths[i], outputs }))
export const parametersOf = ({ widths }) =>
  layers(widths).reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0)

/** Products forward, for the weights and, but in the first layer, for the inputs: multiply-adds of a step. */
export const multiplyAddsOf = ({ widths, batch }) =>
  layers(widths).reduce((sum, { inputs, outputs }, i) => sum + (i ? 3 : 2) * batch * inputs * outputs, 0)

/** Parameters, gradients and Adam's two slots; values and gradients of the layers; four batches of data and more. */
export function bytesOf({ widths, batch }) {
  const values = widths.reduce((sum, width) => sum + width, 0) * batch
  return 4 * (4 * parametersOf({ widths }) + 2 * values + 4 * batch * widths[0])
}
export const mostBytes = () => Math.min(6e9, 0.7 * freemem())
