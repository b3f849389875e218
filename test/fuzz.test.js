// A sample of the fuzz, the same each time: `npm run soak` goes on for longer. That it can find anything is shown on mistakes
// made on purpose.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { names } from './fuzz/moment.js'
import { fuzz } from './fuzz/run.js'

const test = suite('fuzz')

// Begun at once, as it has to wait for a round without end.
const planted = fuzz('planted', { seed: 1, rounds: 5, wait: 5000 })

const samples = { kernels: 5000, objects: 400, descriptors: 1000, surface: 10_000, workers: 2, moments: names.length }
for (const [kind, rounds] of Object.entries(samples)) {
  test(`${rounds} rounds of ${kind}`, async () => {
    assert.equal(await fuzz(kind, { seed: 1, rounds }), { rounds, findings: [] })
  })
}

test('a crash, a round without end, an error without a code and a promise that stays open are found', async () => {
  const { rounds, findings } = await planted
  assert.is(rounds, 5)
  assert.equal(
    findings.map(({ round }) => round),
    [1, 2, 3, 4],
  )
  const expected = [/SIGABRT/, /no end/, /planted: an error without a code: RangeError/, /code 13/]
  for (const [i, { what }] of findings.entries()) assert.match(what, expected[i])
})

test.run()
