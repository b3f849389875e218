// Waits for something that is on its way. How long it takes says nothing, as a machine may be busy: the end is there only
// so that what never comes is a failure.
import * as assert from 'uvu/assert'

export async function until(condition, milliseconds = 120_000) {
  const end = Date.now() + milliseconds
  while (!(await condition())) {
    assert.ok(Date.now() < end, `it did not come in ${milliseconds / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
