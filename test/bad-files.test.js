// Files that lie: each row changes one thing of a good file, and loading it must say what.
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dense, loadModel, relu, sequential } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { failure, numbers } from './support/reference.js'
import { write } from './support/safetensors.js'

const files = suite('files that lie')
const folder = mkdtempSync(join(tmpdir(), 'gradus-'))
const path = () => join(folder, 'model.safetensors')
files.after(() => rmSync(folder, { recursive: true }))

const good = () => ({
  __metadata__: {
    format: 'gradus 1',
    model: JSON.stringify({
      dtype: 'float32',
      seed: 1,
      inputs: [{ name: 'input', shape: [2] }],
      layers: [['dense', 3, {}]],
      nodes: [[0, 0]],
      output: 1,
    }),
  },
  'dense1.weight': { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
  'dense1.bias': { dtype: 'F32', shape: [3], data_offsets: [24, 36] },
})
const bytes = Buffer.from(Float32Array.from(numbers(9)).buffer)
const changed = (change) => {
  const header = good()
  change(header)
  return header
}
const weight = (entry) => changed((header) => Object.assign(header['dense1.weight'], entry))
const model = (entry) =>
  changed(({ __metadata__: metadata }) => {
    metadata.model = JSON.stringify({ ...JSON.parse(metadata.model), ...entry })
  })
const trained = (entry, step, of = {}) =>
  changed(({ __metadata__: metadata }) => {
    metadata.model = JSON.stringify({ ...JSON.parse(metadata.model), ...of })
    metadata.training = JSON.stringify({ loss: ['meanSquaredError'], optimizer: ['sgd', {}], metrics: [], ...entry })
    if (step !== undefined) metadata.step = step
  })
const text = (change) => change(JSON.stringify(good()))
const nested = (depth) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`

const lies = [
  ['an empty file', () => writeFileSync(path(), ''), /0 bytes/],
  ['less than a length', () => writeFileSync(path(), Buffer.alloc(7)), /7 bytes/],
  ['a length beyond the file', () => write(path(), good(), bytes, 100_000), /claims 100000 bytes/],
  ['a length beyond 2^53', () => write(path(), good(), bytes, 2n ** 63n), /at most 16 MB/],
  ['a length of 101 MB', () => write(path(), good(), bytes, 101_000_000), /at most 16 MB/],
  ['a length of nothing', () => write(path(), good(), bytes, 0), /does not begin/],
  ['a length that cuts the header', () => write(path(), good(), bytes, 50), /not JSON/],
  ['text that is not JSON', () => write(path(), '{oh', bytes), /not JSON/],
  ['a list', () => write(path(), '[1]', bytes), /does not begin/],
  [
    'a space first',
    () =>
      write(
        path(),
        text((json) => ` ${json}`),
        bytes,
      ),
    /does not begin/,
  ],
  ['bytes that are not UTF-8', () => write(path(), Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), /UTF-8/],
  ['lists within lists', () => write(path(), nested(200_000)), /"a" is not an object/],
  [
    'a key twice',
    () =>
      write(
        path(),
        text((json) => json.replace('dense1.bias', 'dense1.weight')),
        bytes,
      ),
    /twice/,
  ],
  ['an escaped key twice', () => write(path(), '{"a":{"dtype":"F32","d\\u0074ype":"F64"}}'), /"dtype" twice/],
  ['an entry that is a number', () => write(path(), { x: 7 }), /"x" is not an object/],
  ['an entry that is null', () => write(path(), { x: null }), /"x" is not an object/],
  [
    '__proto__',
    () => write(path(), '{"__proto__":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', bytes.subarray(32)),
    /format/,
  ],
  ['metadata that are not strings', () => write(path(), { __metadata__: { format: 7 } }), /__metadata__/],
  ['metadata that are a list', () => write(path(), { __metadata__: [] }), /__metadata__/],
  ['an unknown dtype', () => write(path(), weight({ dtype: 'F31' }), bytes), /dtype "F31"/],
  ['a dtype of the prototype', () => write(path(), weight({ dtype: 'constructor' }), bytes), /dtype "constructor"/],
  ['a dtype of another kind', () => write(path(), weight({ dtype: 'I32' }), bytes), /is I32/],
  ['a shape that is no list', () => write(path(), weight({ shape: 6 }), bytes), /shape/],
  ['a negative length', () => write(path(), weight({ shape: [-2, -3] }), bytes), /shape/],
  ['a fraction of a length', () => write(path(), weight({ shape: [1.5, 4] }), bytes), /shape/],
  ['a shape beyond 2^53', () => write(path(), weight({ shape: [2 ** 31, 2 ** 31] }), bytes), /2\^53/],
  ['a shape that wraps around 2^64', () => write(path(), weight({ shape: [2 ** 32, 2 ** 32, 6] }), bytes), /2\^53/],
  [
    'a shape larger than its bytes',
    () => write(path(), weight({ shape: [3, 3] }), bytes),
    /24 bytes, and its shape needs 36/,
  ],
  [
    'a shape of other sides',
    () => write(path(), weight({ shape: [3, 2] }), bytes),
    /shape \[3, 2\], and the model needs \[2, 3\]/,
  ],
  ['offsets missing', () => write(path(), weight({ data_offsets: undefined }), bytes), /data_offsets/],
  ['one offset', () => write(path(), weight({ data_offsets: [24] }), bytes), /data_offsets/],
  ['offsets backwards', () => write(path(), weight({ data_offsets: [24, 0] }), bytes), /-24 bytes/],
  [
    'an offset beyond 2^53',
    () => write(path(), weight({ data_offsets: [2 ** 60, 2 ** 60 + 24] }), bytes),
    /data_offsets/,
  ],
  ['offsets that overlap', () => write(path(), weight({ data_offsets: [12, 36] }), bytes), /begins at 12|overlaps/],
  ['offsets with a gap', () => write(path(), weight({ data_offsets: [4, 28] }), bytes), /gap/],
  ['data that end early', () => write(path(), good(), bytes.subarray(4)), /need 36 bytes, and the file has 32/],
  ['data that go on', () => write(path(), good(), Buffer.concat([bytes, bytes])), /need 36 bytes, and the file has 72/],
  ['an unknown entry', () => write(path(), weight({ dtpye: 'F32' }), bytes), /unknown entry "dtpye"/],
  [
    'no metadata',
    () =>
      write(
        path(),
        changed((header) => delete header.__metadata__),
        bytes,
      ),
    /format/,
  ],
  [
    'a format of tomorrow',
    () =>
      write(
        path(),
        changed((header) => (header.__metadata__.format = 'gradus 9')),
        bytes,
      ),
    /gradus 9/,
  ],
  [
    'no model',
    () =>
      write(
        path(),
        changed((header) => delete header.__metadata__.model),
        bytes,
      ),
    /no entry "model"/,
  ],
  [
    'a model that is not JSON',
    () =>
      write(
        path(),
        changed((header) => (header.__metadata__.model = '{')),
        bytes,
      ),
    /"model".*not JSON/,
  ],
  [
    'a model that is null',
    () =>
      write(
        path(),
        changed((header) => (header.__metadata__.model = 'null')),
        bytes,
      ),
    /definition/,
  ],
  ['an unknown layer', () => write(path(), model({ layers: [['conv', 3]] }), bytes), /no "conv"/],
  ['a layer of the prototype', () => write(path(), model({ layers: [['toString']] }), bytes), /no "toString"/],
  [
    'a call of something else',
    () => write(path(), model({ layers: [['input', 3]] }), bytes),
    /input does not belong here/,
  ],
  ['a layer with a bad argument', () => write(path(), model({ layers: [['dense', -3]] }), bytes), /units/],
  [
    'a larger layer than there are data for',
    () => write(path(), model({ layers: [['dense', 2 ** 40, {}]] }), bytes),
    /the model needs \[2, /,
  ],
  [
    'a larger layer that is to be trained',
    () => write(path(), trained({}, undefined, { layers: [['dense', 2 ** 40, {}]] }), bytes),
    /the model needs \[2, /,
  ],
  ['a node of a layer that is not there', () => write(path(), model({ nodes: [[1, 0]] }), bytes), /nodes\[0\]/],
  ['a node on itself', () => write(path(), model({ nodes: [[0, 1]] }), bytes), /nodes\[0\]/],
  ['a node on a fraction', () => write(path(), model({ nodes: [[0, 0.5]] }), bytes), /nodes\[0\]/],
  ['an output that is not there', () => write(path(), model({ output: 2 }), bytes), /output/],
  ['an output that is an input', () => write(path(), model({ output: 0 }), bytes), /output/],
  ['a bad seed', () => write(path(), model({ seed: -1 }), bytes), /seed/],
  ['a bad dtype', () => write(path(), model({ dtype: 'int8' }), bytes), /dtype/],
  ['the other dtype', () => write(path(), model({ dtype: 'float64' }), bytes), /is F32, and the model needs F64/],
  ['a bad input', () => write(path(), model({ inputs: [{ name: 'input', shape: ['2'] }] }), bytes), /shape\[0\]/],
  [
    'a layer without its data',
    () =>
      write(
        path(),
        model({
          nodes: [
            [0, 0],
            [1, 1],
          ],
          layers: [
            ['dense', 3],
            ['dense', 3],
          ],
          output: 2,
        }),
        bytes,
      ),
    /no tensor "dense2.weight"/,
  ],
  [
    'data without a layer',
    () => write(path(), model({ layers: [['dense', 3, { bias: false }]] }), bytes),
    /"dense1.bias" belongs to nothing/,
  ],
  ['an unknown loss', () => write(path(), trained({ loss: ['zeroOne'] }), bytes), /no "zeroOne"/],
  ['an optimizer as a loss', () => write(path(), trained({ loss: ['sgd'] }), bytes), /no "sgd"/],
  [
    'a bad learning rate',
    () => write(path(), trained({ optimizer: ['sgd', { learningRate: -1 }] }), bytes),
    /learningRate/,
  ],
  ['a metric that is a string', () => write(path(), trained({ metrics: ['accuracy'] }), bytes), /there is no/],
  [
    'a step without training',
    () =>
      write(
        path(),
        changed((header) => (header.__metadata__.step = '3')),
        bytes,
      ),
    /no training/,
  ],
  ['a negative step', () => write(path(), trained({}, '-3'), bytes), /step/],
  ['a step beyond 2^53', () => write(path(), trained({}, '9999999999999999'), bytes), /step/],
  ['slots that are not there', () => write(path(), trained({ optimizer: ['adam'] }, '3'), bytes), /no tensor/],
]
const endless = (text) => '['.repeat(4_000_000) + text
lies.push(
  ['text', () => writeFileSync(path(), '{"name": "gradus", "version": "1.0.0"}'), /: not a safetensors file/],
  ['a table', () => writeFileSync(path(), 'sepalLength,sepalWidth\n5.1,3.5\n'), /: not a safetensors file/],
  ['lists in lists without end', () => write(path(), `{"a":${endless('')}`), /"a" is not an object/],
  [
    'a definition of lists in lists without end',
    () =>
      write(
        path(),
        changed((header) => (header.__metadata__.model = endless(''))),
        bytes,
      ),
    /entry "model" of the metadata: expected lists and objects at most 100 deep/,
  ],
  ['a shape without end', () => write(path(), weight({ shape: Array(1_000_000).fill(1) }), bytes), /of lengths/],
  [
    'a model of a million nodes',
    () => write(path(), model({ nodes: Array.from({ length: 1_000_000 }, () => [0, 0]) }), bytes),
    /nodes: expected at most 16384 of them/,
  ],
  [
    'a metadata entry each word',
    () =>
      write(
        path(),
        changed((header) => {
          for (let i = 0; i < 2000; i++) header.__metadata__[`word${i}`] = ''
        }),
        bytes,
      ),
    /more than 1,000 entries/,
  ],
  [
    'not a number',
    () => write(path(), good(), damaged(7, Number.NaN)),
    /tensor "dense1.bias", element 1: expected a finite float32, received NaN/,
  ],
  [
    'infinity',
    () => write(path(), good(), damaged(0, Number.NEGATIVE_INFINITY)),
    /tensor "dense1.weight", element 0: .*received -Infinity/,
  ],
  [
    'the format of a newer version, which says so',
    () =>
      write(
        path(),
        changed(({ __metadata__: of }) => Object.assign(of, { format: 'gradus 9', version: '8.7.6' })),
        bytes,
      ),
    /: it was written by a newer Gradus, "8.7.6": its format is "gradus 9", and this is \d+\.\d+\.\d+, which reads "gradus 1"$/,
  ],
  [
    'a layer of a newer version',
    () =>
      write(
        path(),
        changed(({ __metadata__: of }) =>
          Object.assign(of, { version: '8.7.6', model: of.model.replace('dense', 'capsule') }),
        ),
        bytes,
      ),
    /there is no "capsule"; Gradus "8.7.6" wrote it, and this is \d/,
  ],
)
function damaged(element, value) {
  const values = new Float32Array(new Uint8Array(bytes).buffer)
  values[element] = value
  return Buffer.from(values.buffer)
}
for (const [name, make, message] of lies) {
  files(name, async () => {
    make()
    const error = await failure(() => loadModel(path()))
    assert.is(error.code, 'GRADUS_BAD_FILE', error.stack)
    assert.match(error.message, message)
    assert.ok(error.message.startsWith(path()))
    const inMemory = await failure(() => loadModel(readFileSync(path())))
    assert.is(inMemory.code, 'GRADUS_BAD_FILE', inMemory.stack)
    assert.is(inMemory.message, error.message.replace(path(), 'the buffer'))
  })
}

files('the good file that the others are made from is good', async () => {
  write(path(), good(), bytes)
  assert.is((await loadModel(path())).parameterCount, 9)
  write(path(), trained({ optimizer: ['sgd', {}] }, '3'), bytes)
  assert.is((await loadModel(path())).program.step, 3)
})

files('every cut of a good file is refused', async () => {
  const model = sequential({ input: [2] }, [dense(2), relu()])
  await model.save(path())
  const whole = readFileSync(path())
  for (let length = 0; length < whole.length; length += 5) {
    writeFileSync(path(), whole)
    truncateSync(path(), length)
    assert.is((await failure(() => loadModel(path()))).code, 'GRADUS_BAD_FILE')
  }
})

files.run()
