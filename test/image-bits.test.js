// A convolutional network whose images are moved and mirrored comes to the same bits on every instruction set, on any number of
// threads, and when it is killed and goes on. With GRADUS_SOAK the network is as large as that of the README, with batches of 128.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { availableIsas } from 'gradus/kernels'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { chain, chooser, live } from './support/mortal-chain.js'

const test = suite('image-bits')
const folder = mkdtempSync(join(tmpdir(), 'gradus-image-bits-'))
test.after(() => rmSync(folder, { recursive: true }))

const size = process.env.GRADUS_SOAK ? {} : { filters: 10, side: 8, batchSize: 5 }
const script = 'mortal-images.js'
const { result: expected } = await live({ ...size, threads: 1 }, { script })

test('fifty steps are those of five epochs, and another seed gives other bits', async () => {
  assert.is(expected.epochs, 5)
  const { result } = await live({ ...size, threads: 1, seed: 2 }, { script })
  assert.is.not(result.model, expected.model)
})

test('on 2, 3 and 5 threads', async () => {
  for (const threads of [2, 3, 5])
    assert.equal((await live({ ...size, threads }, { script })).result, expected, `${threads} threads`)
})

for (const isa of availableIsas) {
  test(`on ${isa}`, async () => {
    assert.equal((await live({ ...size, threads: 3 }, { script, isa })).result, expected)
  })
}

test('killed and gone on, each time on other threads and another instruction set', async () => {
  // Within an epoch, right after a checkpoint, before the first one.
  const deaths = [
    [{ event: 'steps', count: 2 }],
    [
      { event: 'steps', count: 7 },
      { event: 'checkpoint', count: 1 },
      { event: 'steps', count: 5 },
    ],
    [
      { event: 'checkpoint', count: 3 },
      { event: 'steps', count: 4 },
    ],
  ]
  for (const [number, list] of deaths.entries()) {
    const dir = join(folder, String(number))
    const { result, kills } = await chain({ ...size, dir }, list, chooser(number + 1), { script })
    assert.is(kills, list.length)
    assert.equal(result, expected, `run ${number}`)
  }
})

test.run()
