// Ensembles in files: what is written comes back to the bit, and what is damaged is one coded error.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  adam,
  customLayer,
  dense,
  ensemble,
  loadEnsemble,
  loadModel,
  relu,
  sequential,
  softmaxCrossEntropy,
} from '../dist/index.js'

const files = suite('files of ensembles')

const x = Float32Array.from({ length: 24 * 4 }, (_, i) => Math.sin(i))
const y = Array.from({ length: 24 }, (_, row) => ['cat', 'dog', 'owl'][row % 3])

const make = (seed, layers = []) => {
  const model = sequential({ input: [4], seed }, [dense(4 + seed), relu(), ...layers, dense(3)])
  return model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy'] })
}
const trained = [make(1), make(2), make(3)]
for (const model of trained) await model.fit({ x, y }, { epochs: 2, quiet: true })
const options = { combine: 'geometric', weights: [1, 2, 4], temperature: 1.3 }

async function refused(work, code, message) {
  const error = await work().then(
    () => assert.unreachable('nothing was thrown'),
    (error) => error,
  )
  assert.is(error.code, code, error.message)
  assert.match(error.message, message)
}

files('an ensemble comes back from its file, members, weights, names and metadata', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-'))
  try {
    const together = ensemble(trained, options)
    const file = join(folder, 'together.safetensors')
    await together.save(file, { metadata: { made: 'today' } })
    assert.equal(readFileSync(file), await together.toBuffer({ metadata: { made: 'today' } }))
    const loaded = await loadEnsemble(file)
    assert.is(String(loaded), String(together))
    assert.equal([loaded.combine, loaded.weights, loaded.temperature], [together.combine, together.weights, 1.3])
    assert.equal(loaded.metadata, { made: 'today' })
    assert.equal(loaded.classes, ['cat', 'dog', 'owl'])
    assert.equal(loaded.predictSync(x).data, together.predictSync(x).data)
    assert.equal(await loaded.evaluate({ x, y }), await together.evaluate({ x, y }))
    assert.equal(await loaded.toBuffer(), await together.toBuffer({ metadata: { made: 'today' } }))
    const [member] = loaded.members
    loaded.dispose()
    assert.throws(
      () => member.predictSync(x),
      (error) => error.code === 'GRADUS_DISPOSED',
    )
    await refused(() => together.save(join(folder, 'x.h5')), 'GRADUS_INVALID_ARGUMENT', /x\.safetensors/)
    await refused(() => together.save(join(folder, 'no', 'x.safetensors')), 'GRADUS_BAD_FILE', /no/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

files('with the optimizers, training goes on as if it had not been interrupted', async () => {
  const own = [make(5), make(6)]
  for (const model of own) await model.fit({ x, y }, { epochs: 1, quiet: true })
  const loaded = await loadEnsemble(await ensemble(own).toBuffer({ optimizer: true }))
  for (const model of [...own, ...loaded.members]) await model.fit({ x, y }, { epochs: 1, quiet: true })
  for (const [m, model] of own.entries()) assert.equal(loaded.members[m].getWeights(), model.getWeights())
  const plain = await loadEnsemble(await ensemble(own).toBuffer(), { compile: false })
  await refused(() => plain.evaluate({ x, y }), 'GRADUS_NOT_COMPILED', /evaluate/)
})

files('custom parts are given by name', async () => {
  const passing = (scale) =>
    customLayer({
      name: 'passing',
      forward: (values) => values.map((value) => value * scale),
      backward: (dy) => ({ dx: dy.map((value) => value * scale) }),
      outputShape: (shape) => shape,
    })
  const layer = passing(1)
  const together = ensemble([make(1), make(2, [layer])])
  const bytes = await together.toBuffer()
  await refused(() => loadEnsemble(bytes), 'GRADUS_MISSING_FUNCTIONS', /member 1: .*passing/)
  const loaded = await loadEnsemble(bytes, { layers: { passing: layer } })
  assert.equal(loaded.predictSync(x).data, together.predictSync(x).data)
})

files('each file says which function reads it', async () => {
  const bytes = await ensemble(trained).toBuffer()
  await refused(() => loadModel(bytes), 'GRADUS_BAD_FILE', /holds an ensemble: loadEnsemble\(\) reads it/)
  const model = await trained[0].toBuffer()
  await refused(() => loadEnsemble(model), 'GRADUS_BAD_FILE', /holds a model: loadModel\(\) reads it/)
  await refused(() => trained[0].loadWeights(bytes), 'GRADUS_BAD_FILE', /dense1/)
  await refused(() => loadEnsemble('/nothing/there'), 'GRADUS_BAD_FILE', /nothing/)
  await refused(() => loadEnsemble(5), 'GRADUS_INVALID_ARGUMENT', /^file/)
  await refused(() => loadEnsemble(bytes, { layer: {} }), 'GRADUS_INVALID_ARGUMENT', /layers/)
})

files('files cut short and changed bytes are refused', async () => {
  const bytes = await ensemble(trained, options).toBuffer()
  for (const length of [0, 7, 8, 9, 100, bytes.length - 1]) {
    await refused(() => loadEnsemble(bytes.subarray(0, length)), 'GRADUS_BAD_FILE', /./)
  }
  for (let i = 0; i < 40; i++) {
    const changed = Buffer.from(bytes)
    changed[Math.floor((i * bytes.length) / 40)] ^= 1 << (i % 8)
    await refused(() => loadEnsemble(changed), 'GRADUS_BAD_FILE', /./)
  }
})

/** The file with other metadata and no hash, as somebody may have written it. */
function rewritten(bytes, change) {
  const length = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString())
  delete header.__metadata__.sha256
  change(header.__metadata__, header)
  const text = Buffer.from(JSON.stringify(header).padEnd(Math.ceil(JSON.stringify(header).length / 8) * 8 + 8))
  const start = Buffer.alloc(8)
  start.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([start, text, bytes.subarray(8 + length)])
}

function rename(header, name, other) {
  header[other] = header[name]
  delete header[name]
}

files('what metadata say of members and weights is checked', async () => {
  const bytes = await ensemble(trained, options).toBuffer()
  const loaded = await loadEnsemble(rewritten(bytes, () => {}))
  assert.equal(loaded.weights, ensemble(trained, options).weights)
  const cases = [
    [(of) => delete of.ensemble, /no entry "ensemble"/],
    [(of) => (of.ensemble = '{'), /entry "ensemble" of the metadata is not JSON/],
    [(of) => (of.ensemble = '[]'), /no list of weights/],
    [(of) => (of.ensemble = '{"weights":[]}'), /belongs to no member/],
    [(of) => (of.ensemble = '{"weights":[1,1]}'), /tensor "2\/dense1.weight" belongs to no member/],
    [(of) => (of.ensemble = '{"weights":[1,1,1,1]}'), /no entry "member3"/],
    [(of) => (of.ensemble = '{"weights":[1,1,-1]}'), /weights\[2\]: expected a number of at least 0/],
    [(of) => (of.ensemble = '{"weights":[1,1,1],"combine":"x"}'), /combine: expected one of/],
    [(of) => (of.ensemble = '{"weights":[1,1,1],"temperature":0}'), /temperature/],
    [(of) => (of.ensemble = '{"weights":[1,1,1],"more":0}'), /more/],
    [(of) => (of.member1 = '5'), /entry "member1" of the metadata is no list of entries/],
    [(of) => (of.member1 = '{"format":5}'), /entry "member1"/],
    [(of) => (of.member1 = '{}'), /no format/],
    [(of) => (of.format = 'gradus ensemble 2'), /its format is "gradus ensemble 2"/],
    [(of) => delete of.format, /no saved ensemble/],
    [(_, header) => rename(header, '1/dense2.bias', '1/dense2.biased'), /member 1: there is no tensor "dense2.bias"/],
  ]
  for (const [change, message] of cases)
    await refused(() => loadEnsemble(rewritten(bytes, change)), 'GRADUS_BAD_FILE', message)
})

files.run()
