// The hash in a model's file: of every byte, and held against them when the file is loaded.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dense, loadModel, meanSquaredError, relu, sequential, sgd } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { failure } from './support/reference.js'
import { write } from './support/safetensors.js'

const files = suite('hashes of files')
const folder = mkdtempSync(join(tmpdir(), 'gradus-'))
const path = () => join(folder, 'model.safetensors')
files.after(() => rmSync(folder, { recursive: true }))

files(
  'every flipped bit of a good file is found, but in the name of the hash, without which nothing else has changed',
  async () => {
    const model = sequential({ input: [2], seed: 5 }, [dense(2), relu()])
    model.compile({ loss: meanSquaredError(), optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }) })
    const whole = await model.toBuffer({ optimizer: true })
    const nameOfHash = whole.indexOf('sha256')
    let found = 0
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const flipped = Buffer.from(whole)
      flipped[bit >> 3] ^= 1 << (bit & 7)
      const loaded = await loadModel(flipped).catch((error) => {
        assert.is(error.code, 'GRADUS_BAD_FILE', `bit ${bit}: ${error.stack}`)
        found++
        return null
      })
      if (!loaded) continue
      assert.ok(
        bit >> 3 >= nameOfHash && bit >> 3 < nameOfHash + 'sha256'.length,
        `bit ${bit} changes nothing that is checked`,
      )
      assert.equal(loaded.getWeights(), model.getWeights())
      loaded.dispose()
    }
    assert.ok(found > 8 * (whole.length - 'sha256'.length), `${found} found`)
  },
)

files('a file that was changed by others says so; without its hash it is read as it is', async () => {
  const whole = await sequential({ input: [2], seed: 5 }, [dense(2)]).toBuffer()
  whole.set([1, 2, 3], whole.length - 4)
  const { message } = await failure(() => loadModel(whole))
  assert.match(
    message,
    /^the buffer: it is damaged, or was changed after it was written: .* takes the entry sha256 out/,
  )
  const end = 8 + Number(whole.readBigUInt64LE())
  const header = JSON.parse(whole.subarray(8, end))
  assert.match(header.__metadata__.sha256, /^[0-9a-f]{64}$/)
  delete header.__metadata__.sha256
  write(path(), header, whole.subarray(end))
  assert.is((await loadModel(path())).parameterCount, 6)
})

files('the hash is the SHA-256 of the whole file with zeros in its place', async () => {
  await sequential({ input: [3], seed: 2 }, [dense(4)]).save(path())
  const whole = readFileSync(path())
  const { sha256 } = JSON.parse(whole.subarray(8, 8 + Number(whole.readBigUInt64LE()))).__metadata__
  whole.fill('0', whole.indexOf(sha256), whole.indexOf(sha256) + 64)
  assert.is(createHash('sha256').update(whole).digest('hex'), sha256)
})

files.run()
