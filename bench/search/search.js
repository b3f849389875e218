// A search in turn on a problem whose regret is known.
import { Draws } from '../../dist/search/space/draws.js'

export const marks = [30, 60, 100]

/** Regrets after so many trials, of the trial with the best value told. */
export async function search(sampler, { space, regret, noise = () => 0 }, seed, counts = marks) {
  const trials = []
  const regrets = []
  const noises = new Draws(seed, 0, 0xfff)
  let best = { value: Infinity, regret: Infinity }
  for (let number = 0; number < Math.max(...counts); number++) {
    const params = await sampler.suggest({ space, trials, direction: 'minimize', seed, number })
    const lost = regret(params)
    const value = lost + noise(lost) * noises.normal()
    const exploded = Number.isNaN(value)
    trials.push({ number, params, state: exploded ? 'exploded' : 'complete', value: exploded ? null : value })
    if (value < best.value) best = { value, regret: lost }
    if (counts.includes(number + 1)) regrets.push(best.regret)
  }
  return regrets
}
