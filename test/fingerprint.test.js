// Fingerprints of datasets: fixed by what they hold, whatever the way it lies in memory. The definition, and that all of
// the content counts, is tested in test/native/fingerprint_test.cc.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { call, filled, program, refused } from './support/small-program.js'

const test = suite('fingerprints')

/** Images of one byte a pixel, their labels and weights. */
function images() {
  const made = new native.Dataset(
    5,
    [{ name: 'x', type: 'uint8', shape: [3, 2], scale: 1 / 255, offset: -0.5 }],
    { name: 'y', type: 'int32', shape: [] },
    { name: 'w', type: 'float32', shape: [] },
  )
  made.write(
    'input',
    0,
    0,
    Uint8Array.from({ length: 30 }, (_, i) => i * 8),
  )
  made.write('target', 0, 0, Int32Array.of(0, 1, 2, 1, -1))
  made.write('weight', 0, 0, Float32Array.of(1, 0.5, 2, 1, 1))
  return made
}

test('files keep them: those of old stay', async () => {
  assert.is(await images().fingerprint(), '42d2ef6362e2e860')
  assert.is(await new native.Dataset(0, [], null, null).fingerprint(), 'c1b9ef75b8473aa6')
})

test('rows count in the order of the view, not as they lie', async () => {
  const all = images()
  const fingerprint = (...rows) => all.subset(Uint32Array.from(rows)).fingerprint()
  assert.is(await fingerprint(0, 1, 2, 3, 4), await all.fingerprint())
  assert.is(
    await all
      .subset(Uint32Array.of(4, 3, 2, 1, 0))
      .subset(Uint32Array.of(3, 0))
      .fingerprint(),
    await fingerprint(1, 4),
  )
  const views = [[], [0], [1], [0, 1], [1, 0], [0, 0], [0, 1, 2, 3], [0, 1, 2, 3, 4, 4]]
  const seen = await Promise.all([all.fingerprint(), ...views.map((rows) => fingerprint(...rows))])
  assert.is(new Set(seen).size, seen.length)
  for (const each of seen) assert.match(each, /^[0-9a-f]{16}$/)
})

test('the data are kept until it is there, and cannot be written meanwhile', async () => {
  const data = filled()
  const expected = await data.fingerprint()
  const first = data.fingerprint()
  assert.throws(
    () => data.write('target', 0, 0, Int32Array.of(1)),
    ({ code }) => code === 'GRADUS_BUSY',
  )
  const others = [data.fingerprint(), program.train(call({ dataset: data }))]
  data.dispose()
  assert.equal(await Promise.all([first, others[0]]), [expected, expected])
  assert.is((await others[1]).updates, 1)
  await refused(() => data.fingerprint(), /disposed/, 'GRADUS_DISPOSED')
  const again = filled()
  assert.is(await again.fingerprint(), expected)
  again.write('target', 0, 3, Int32Array.of(1))
  assert.is.not(await again.fingerprint(), expected)
})

test.run()
