// Problems whose best value is known: Branin, Hartmann-6, and the tuning of a network as a formula, with noise, logarithms,
// integers, choices and a branch.
import { Draws } from '../../dist/search/space/draws.js'
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

/** `regret` is without noise; trials are told `regret` plus normal noise of that deviation. */
export const problems = {
  branin: { space: checkSpace({ x: uniform(-5, 10), y: uniform(0, 15) }), regret: branin, noise: 0 },
  hartmann: {
    space: checkSpace(Object.fromEntries(centres[0].map((_, i) => [`x${i}`, uniform(0, 1)]))),
    regret: hartmann,
    noise: 0,
  },
  tuning: {
    space: checkSpace({
      learningRate: logUniform(1e-6, 10),
      l2: logUniform(1e-6, 1e-1),
      hidden: integer(32, 512, { log: true }),
      dropout: uniform(0, 0.7),
      depth: integer(1, 6),
      batch: choice([32, 64, 128, 256]),
      optimizer: choice({ adam: { beta1: uniform(0.8, 0.99) }, nesterov: { momentum: uniform(0.5, 0.99) } }),
    }),
    regret: tuning,
    noise: 0.01,
  },
}

/** Regrets after so many trials in turn, of the trial with the best value told. */
export async function search(sampler, { space, regret, noise }, seed, marks) {
  const trials = []
  const regrets = []
  const noises = new Draws(seed, 0, 0xfff)
  let best = { value: Infinity, regret: Infinity }
  for (let number = 0; number < Math.max(...marks); number++) {
    const params = await sampler.suggest({ space, trials, direction: 'minimize', seed, number })
    const lost = regret(params)
    const value = lost + noise * noises.normal()
    trials.push({ number, params, state: 'complete', value })
    if (value < best.value) best = { value, regret: lost }
    if (marks.includes(number + 1)) regrets.push(best.regret)
  }
  return regrets
}
