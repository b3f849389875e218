// The native surface where the JavaScript around it is turned against it: variables, prototypes and hooks that change
// after the import. Calls still settle, with the right result or one coded error.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { descriptor, stillTrains } from './support/small-program.js'

const test = suite('hostile environment')
test.after.each(stillTrains)

test('the instruction set is that of the import, whatever the environment says later', () => {
  const before = process.env.GRADUS_ISA
  process.env.GRADUS_ISA = 'none of them'
  try {
    assert.is(new native.Program(descriptor).dtype, 'float32')
  } finally {
    if (before === undefined) delete process.env.GRADUS_ISA
    else process.env.GRADUS_ISA = before
  }
})

test.run()
