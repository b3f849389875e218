// Waits for something that is on its way.
import * as assert from 'uvu/assert'

export async function until(condition, milliseconds = 3000) {
  const end = Date.now() + milliseconds
  while (!condition()) {
    assert.ok(Date.now() < end, 'it did not come in time')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
