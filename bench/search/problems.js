// Problems whose best value is known: Branin, Hartmann-6, the tuning of a network as a formula, with noise, logarithms,
// integers, choices and a branch; that of a real network, by a table; and five of what real tuning has.
import { readFileSync } from 'node:fs'
import { choice, integer, logUniform, uniform } from '../../dist/search/space/parameters.js'
import { checkSpace } from '../../dist/search/space/space.js'

function branin({ x, y }) {
  const bend = y - (5.1 / (4 * Math.PI ** 2)) * x * x + (5 / Math.PI) * x - 6
  return bend ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10 - 0.39788735772973816
}

const steepness = [
  [10, 3, 17, 3.5, 1.7, 8],
  [0.05, 10, 17, 0.1, 8, 14],
  [3, 3.5, 1.7, 10, 17, 8],
  [17, 8, 0.05, 10, 0.1, 14],
]
const centres = [
  [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
  [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
  [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
  [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]
function hartmann(params) {
  const x = Object.values(params)
  const wells = [1, 1.2, 3, 3.2].map((depth, i) => {
    const distance = x.reduce((sum, value, j) => sum + steepness[i][j] * (value - centres[i][j]) ** 2, 0)
    return depth * Math.exp(-distance)
  })
  return 3.322368011415515 - wells.reduce((sum, well) => sum + well)
}

function tuning({ learningRate, l2, hidden, dropout, depth, batch, optimizer }) {
  const isAdam = optimizer.name === 'adam'
  const moment = isAdam ? ((optimizer.beta1 - 0.9) / 0.1) ** 2 : ((optimizer.momentum - 0.95) / 0.2) ** 2
  return (
    0.06 * (Math.log10(learningRate) + (isAdam ? 2.7 : 1.4)) ** 2 +
    0.03 * (Math.log10(l2) + 4) ** 2 +
    0.02 * Math.log2(hidden / 256) ** 2 +
    0.1 * (dropout - 0.25) ** 2 +
    0.01 * (depth - 3) ** 2 +
    0.01 * Math.abs(Math.log2(batch / 128)) +
    (isAdam ? 0 : 0.02) +
    0.05 * moment
  )
}

const table = JSON.parse(readFileSync(new URL('digits.json', import.meta.url), 'utf8'))
const fewestErrors = Math.min(...table.errors)
function digits(params) {
  let index = 0
  for (const [name, values] of Object.entries(table.parameters)) {
    index = index * values.length + values.indexOf(params[name])
  }
  return (table.errors[index] - fewestErrors) / 1797
}

/** Values in steps, and nothing but the worst one far from the best. */
function plateaus({ rate, width, x, y }) {
  const bowl = 0.2 * (Math.log10(rate) + 2.6) ** 2 + 0.08 * Math.log2(width / 96) ** 2 + (x - 0.7) ** 2 + (y - 0.2) ** 2
  return Math.min(0.4, Math.floor(200 * bowl) / 200)
}

/** A third of the space explodes, and the best lies not far from there. */
function failures({ rate, momentum, x, y }) {
  const speed = Math.log10(rate / (1 - momentum))
  if (speed > 0.2) return Number.NaN
  return 0.1 * (speed + 0.2) ** 2 + 0.2 * (momentum - 0.85) ** 2 + 0.3 * (x - 0.3) ** 2 + 0.3 * (y - 0.6) ** 2
}

/** The worse, the noisier. */
function growing({ x0, x1, x2, x3 }) {
  const off = (x, best) => Math.abs(x - best) ** 1.5
  return off(x0, 0.62) + 0.6 * off(x1, 0.31) + 0.4 * off(x2, 0.77) + 0.2 * off(x3, 0.15)
}

/** Three of six parameters do nothing. */
const dead = ({ rate, x1, x3 }) => 0.08 * (Math.log10(rate) + 3.1) ** 2 + 0.4 * (x1 - 0.35) ** 2 + 0.2 * (x1 - x3) ** 2

/** What is best for the others depends on an integer, which counts most. */
const ruling = ({ layers, rate, x, y }) =>
  0.02 * (layers - 8) ** 2 +
  0.06 * (Math.log10(rate) + 1.5 + 0.2 * layers) ** 2 +
  0.1 * (x - layers / 16) ** 2 +
  0.1 * (y - 0.4) ** 2

const units = (from, to) =>
  Object.fromEntries(Array.from({ length: to - from + 1 }, (_, i) => [`x${from + i}`, uniform(0, 1)]))

/** `regret` is without noise; trials are told `regret` plus normal noise of the deviation that `noise` says, by regret. */
export const problems = {
  branin: { space: { x: uniform(-5, 10), y: uniform(0, 15) }, regret: branin },
  hartmann: { space: units(0, 5), regret: hartmann },
  tuning: {
    space: {
      learningRate: logUniform(1e-6, 10),
      l2: logUniform(1e-6, 1e-1),
      hidden: integer(32, 512, { log: true }),
      dropout: uniform(0, 0.7),
      depth: integer(1, 6),
      batch: choice([32, 64, 128, 256]),
      optimizer: choice({ adam: { beta1: uniform(0.8, 0.99) }, nesterov: { momentum: uniform(0.5, 0.99) } }),
    },
    regret: tuning,
    noise: () => 0.01,
  },
  digits: {
    space: {
      logLearningRate: uniform(-4, -0.5, { step: 0.5 }),
      logL2: integer(-6, -3),
      logHidden: integer(4, 8),
      dropout: uniform(0, 0.4, { step: 0.2 }),
      batch: choice([32, 128]),
      optimizer: choice(['adam', 'nesterov']),
    },
    regret: digits,
  },
  plateaus: {
    space: { rate: logUniform(1e-5, 1), width: integer(8, 512, { log: true }), x: uniform(0, 1), y: uniform(0, 1) },
    regret: plateaus,
  },
  failures: {
    space: { rate: logUniform(1e-4, 10), momentum: uniform(0, 0.99), x: uniform(0, 1), y: uniform(0, 1) },
    regret: failures,
  },
  growing: { space: units(0, 3), regret: growing, noise: (regret) => 0.005 + 0.3 * regret },
  dead: { space: { rate: logUniform(1e-6, 1), ...units(0, 4) }, regret: dead },
  ruling: {
    space: { layers: integer(1, 12), rate: logUniform(1e-5, 1), x: uniform(0, 1), y: uniform(0, 1) },
    regret: ruling,
  },
}
for (const problem of Object.values(problems)) problem.space = checkSpace(problem.space)
