// Mistakes planted in custom layers, losses and regularizers: each is found and its tensor named, and the same without
// the mistake passes.
import { assertGradients, gradientCheck } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planted } from './support/planted.js'
import { numbers } from './support/reference.js'

const test = suite('planted gradients')
const rows = 7
const data = { x: numbers(rows * 4, 5), y: Int32Array.from({ length: rows }, (_, i) => (i * 2 + (i >> 1)) % 3) }

const namesOf = (report, verdicts) =>
  report.parameters.filter(({ verdict }) => verdicts.includes(verdict)).map(({ name }) => name)

assert.ok(Object.keys(planted).length >= 20)
for (const [mistake, [make, expected, options]] of Object.entries(planted)) {
  test(mistake, async () => {
    const right = await gradientCheck(make(false), data, options)
    assert.equal(namesOf(right, ['uneasy', 'wrong', 'undecidable']), [], `${mistake}: its twin\n${right}`)
    const wrong = await gradientCheck(make(true), data, options)
    assert.is(wrong.verdict, 'wrong', `${mistake}\n${wrong}`)
    assert.equal(namesOf(wrong, ['wrong']), expected, `${mistake}\n${wrong}`)
    assert.equal(namesOf(wrong, ['uneasy', 'undecidable']), [], `${mistake}\n${wrong}`)
    try {
      await assertGradients(make(true), data, options)
      assert.unreachable()
    } catch (error) {
      assert.is(error.code, 'GRADUS_WRONG_GRADIENT')
      assert.match(error.message, expected[0])
    }
    await assertGradients(make(false), data, options)
  })
}

test.run()
