// What a network for images costs, how far it sees and what memory a step of it takes, against figures of others.
import {
  add,
  batchNorm,
  conv1d,
  conv2d,
  conv2dTranspose,
  dense,
  flatten,
  globalAveragePool,
  graph,
  input,
  maxPool1d,
  maxPool2d,
  relu,
  reshape,
  separableConv2d,
  sequential,
  sgd,
  softmaxCrossEntropy,
  upsample2d,
  zeroPadding2d,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'

const test = suite('summary')

/** By layer, its cells. */
const cellsOf = (model) =>
  Object.fromEntries(
    model
      .summary()
      .split('\n')
      .slice(2)
      .filter((line) => /^\w+ +\[/.test(line))
      .map((line) => {
        const [name, shape, , cost, ...rest] = line.match(/^(\w+) +(\[.*?\]) +([\d,]+) {2,}([\d,]+) *(.*)$/).slice(1)
        return [name, { shape, cost: Number(cost.replaceAll(',', '')), sees: rest.join(' ').trim() }]
      }),
  )

test('VGG-16 has the multiply-adds and the receptive field that are known of it', () => {
  // Simonyan and Zisserman 2015, configuration D: 15.47 · 10⁹ of both, and 212 pixels after its last pool (Araujo et al. 2019).
  const block = (filters, times) => [
    ...Array.from({ length: times }, () => [conv2d(filters, 3, { padding: 'same' }), relu()]).flat(),
    maxPool2d(2),
  ]
  const net = [block(64, 2), block(128, 2), block(256, 3), block(512, 3), block(512, 3)].flat()
  const model = sequential({ input: [224, 224, 3], seed: 1 }, [
    ...net,
    ...[flatten(), dense(4096), relu(), dense(4096), relu(), dense(1000)],
  ])
  const cells = cellsOf(model)
  assert.match(model.summary(), /^15,470,264,320 multiply-adds for an example$/m)
  assert.is(cells.maxPool2d5.sees, '212×212')
  assert.is(cells.conv2d13.sees, '196×196')
  assert.is(cells.dense3.sees, 'all')
})

test('layers that make images larger, lines, branches and pictures without channels', () => {
  const line = cellsOf(
    sequential({ input: [50, 2] }, [conv1d(4, 5, { stride: 2 }), maxPool1d(2), conv1d(4, 3), flatten()]),
  )
  assert.equal(
    ['conv1d1', 'maxPool1d1', 'conv1d2', 'flatten1'].map((name) => [line[name].cost, line[name].sees]),
    [
      [23 * 5 * 2 * 4, '5'],
      [0, '7'],
      [9 * 3 * 4 * 4, '15'],
      [0, 'all'],
    ],
  )
  const wide = cellsOf(
    sequential({ input: [8, 8, 1] }, [
      ...[conv2d(2, 2, { stride: 2 }), conv2dTranspose(3, 3, { stride: 2, padding: 'same' }), conv2d(1, 3)],
      ...[upsample2d(2), conv2d(1, [1, 3]), upsample2d(2, { interpolation: 'bilinear' })],
    ]),
  )
  // Two pixels that lie 2 apart, and 2 wide; then three that lie 1 apart, then three that lie ½ apart.
  assert.equal(
    ['conv2d1', 'conv2dTranspose1', 'conv2d2', 'upsample2d1', 'conv2d3', 'upsample2d2'].map((name) => wide[name].sees),
    ['2×2', '4×4', '6×6', '6×6', '6×7', '7×8'],
  )
  assert.is(wide.conv2dTranspose1.cost, 16 * 9 * 2 * 3)
  const image = input([784])
  const picture = reshape([28, 28, 1])(image)
  const left = conv2d(3, 5, { padding: 'same' })(picture)
  const right = separableConv2d(3, 3, { padding: 'same' })(picture)
  const joined = graph({ inputs: [image], output: dense(2)(globalAveragePool()(add(left, right))) })
  const cells = cellsOf(joined)
  assert.is(cells.add1.sees.split(' ')[0], '5×5')
  assert.is(cells.separableConv2d1.cost, 784 * (9 + 3))
  assert.is(cells.globalAveragePool1.sees.split(' ')[0], 'all')
  assert.match(joined.summary().split('\n')[0], /multiply-adds +sees +takes$/)
})

test('a network without convolutions says what it said, and its memory when asked', () => {
  const model = sequential({ input: [4] }, [dense(3, { bias: false })])
  assert.not.match(model.summary(), /multiply|step/)
  assert.match(model.summary({ batchSize: 1 }), /\n[\d,]+ bytes for a step of one example$/)
  assert.throws(() => model.summary({ batchSize: 0 }), /^batchSize: expected a positive integer, received 0/)
})

test('memory of a step grows by values and gradients, and is what a program takes', async () => {
  const model = sequential({ input: [4] }, [dense(3, { bias: false })])
  // Values of both, and the gradient of the output.
  const grown = native.stepMemory(model.descriptor, 128) - native.stepMemory(model.descriptor, 64)
  assert.is(grown, 64 * 4 * (4 + 3 + 3))
  const net = sequential({ input: [16, 16, 3], seed: 1 }, [
    ...[conv2d(8, 3, { padding: 'same', bias: false }), batchNorm(), relu(), maxPool2d(2), flatten(), dense(3)],
  ]).compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
  const values = 4 * 64 * (16 * 16 * (3 + 8 + 8) + 8 * 8 * 8 + 3)
  const said = native.stepMemory(net.descriptor, 64)
  assert.ok(said > values && said < 3 * values, `${said}, values ${values}`)
  assert.match(net.summary({ batchSize: 64 }), /\d MiB for a step of 64 examples$/)
})

test('the core refuses what is no descriptor, no number of examples or beyond all memory', () => {
  const { descriptor } = sequential({ input: [1000] }, [dense(2)])
  const refused = (given, code, message) => {
    const matches = (error) => error.code === `GRADUS_${code}` && message.test(error.message)
    assert.throws(() => native.stepMemory(...given), matches, `${given}`)
  }
  for (const wrong of [undefined, 0, -1, 1.5, '4']) refused([descriptor, wrong], 'INVALID_ARGUMENT', /^examples/)
  for (const wrong of [undefined, null, 5, {}, []]) refused([wrong, 1], 'BAD_DESCRIPTOR', /./)
  refused([descriptor, Number.MAX_SAFE_INTEGER], 'TOO_LARGE', /overflows/)
})

test('the error says how much a step would need', async () => {
  const vast = sequential({ input: [1, 1, 1] }, [
    ...[conv2d(1, 1), zeroPadding2d(10_000_000), maxPool2d(2, { stride: 1_000_000 }), globalAveragePool(), dense(2)],
  ]).compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
  try {
    await vast.fit({ x: new Float32Array(3), y: new Int32Array(3) }, { batchSize: 3, quiet: true }).done
    assert.unreachable()
  } catch (error) {
    assert.is(error.code, 'GRADUS_OUT_OF_MEMORY', error.stack)
    assert.match(
      error.message,
      /^no memory for \d+ bytes: a step of 3 examples takes \d{16} bytes beside the weights; a s/,
    )
  }
})

test.run()
