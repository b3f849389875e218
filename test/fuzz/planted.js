// Mistakes made on purpose, one a round from 1 on: run.js must find each, and nothing in round 0.
import { attempt } from './judge.js'

const mistakes = [
  () => {},
  () => process.abort(),
  () => {
    for (;;);
  },
  () =>
    attempt(() => {
      throw new RangeError('Invalid array length')
    }, 'planted'),
  () => new Promise(() => {}),
]
let next = Number(process.argv[4])

export const round = () => mistakes[next++]()
