// The process that run.js begins: KIND SEED FROM ROUNDS SECONDS FINDINGS. Says the number of each round before it begins, what is
// found, and 'done' at the end; written at once, so that it is said whatever comes after.
import { writeSync } from 'node:fs'
import { Choices } from './choices.js'
import { Finding } from './judge.js'

const [kind, seed, ...limits] = process.argv.slice(2)
const [from, rounds, seconds, mostFindings] = limits.map(Number)
let findings = 0
const say = (text) => writeSync(1, `${text}\n`)
const end = performance.now() + 1000 * seconds

const { open, round } = await import(`./${kind}.js`)
await open?.()
for (let i = from; i < from + rounds && performance.now() < end && findings < mostFindings; i++) {
  say(i)
  try {
    await round(new Choices(kind, seed, i))
  } catch (error) {
    findings++
    say(`found ${JSON.stringify(error instanceof Finding ? error.message : `the fuzz itself: ${error?.stack}`)}`)
  }
}
say('done')
