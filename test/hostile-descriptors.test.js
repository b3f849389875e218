// Descriptors that no model makes: each is refused with an error that says where, and none is followed without end.
import { suite } from 'uvu'
import { native } from '../dist/native.js'
import { descriptor, refused, stillTrains } from './support/small-program.js'

const test = suite('hostile descriptors')
test.after.each(stillTrains)

const altered = (change) => {
  const copy = structuredClone(descriptor)
  change(copy)
  return copy
}

test('hostile descriptors', async () => {
  const deep = () => {
    let value = 1
    for (let i = 0; i < 100_000; i++) value = [value]
    return value
  }
  const cycle = { ...descriptor }
  cycle.nodes = [cycle]
  // Each level holds the one below twice: 2³¹ values out of 31 arrays.
  let doubled = [1]
  for (let i = 0; i < 30; i++) doubled = [doubled, doubled]
  const sparse = []
  sparse.length = 2 ** 32 - 1
  const cases = [
    ...[undefined, null, 5, 'model', [], () => {}, Symbol('s'), 1n, new Date(), new Float32Array(4)],
    { ...descriptor, nodes: deep() },
    cycle,
    { ...descriptor, nodes: doubled },
    { ...descriptor, nodes: sparse },
    altered((d) => (d.dtype = 'float16')),
    altered((d) => (d.seed = -1)),
    altered((d) => (d.seed = 2 ** 53)),
    altered((d) => (d.initialize = 0)),
    altered((d) => (d.inputs = [])),
    altered((d) => (d.inputs[0].shape = [0])),
    altered((d) => (d.inputs[0].kind = 'complex')),
    altered((d) => (d.inputs[0].kind = 'index')),
    altered((d) => (d.output = 0)),
    altered((d) => (d.output = 99)),
    altered((d) => (d.output = -1)),
    altered((d) => (d.nodes[0].op = 'sorcery')),
    altered((d) => (d.nodes[0].op = '__proto__')),
    altered((d) => (d.nodes[0].inputs = [1])),
    altered((d) => (d.nodes[0].inputs = [2 ** 52])),
    altered((d) => (d.nodes[0].inputs = [])),
    altered((d) => (d.nodes[0].inputs = [0, 0])),
    altered((d) => (d.nodes[0].parameters.weight = 1)),
    altered((d) => (d.nodes[0].parameters.weight = 4)),
    altered((d) => (d.nodes[0].parameters.weight = 2 ** 53 - 1)),
    altered((d) => (d.nodes[0].parameters = [])),
    altered((d) => (d.parameters[0].shape = [3, 4])),
    altered((d) => (d.parameters[0].shape = [])),
    altered((d) => (d.parameters[0].initializer.kind = 'magic')),
    altered((d) => (d.parameters[0].trainable = 1)),
    altered((d) => (d.parameters[0].l2 = -1)),
    altered((d) => (d.parameters[1].maxNorm = 1)),
    altered((d) => (d.parameters[0].initializer = Number.NaN)),
    altered((d) => (d.loss.kind = 'regret')),
    altered((d) => (d.metrics = [{ kind: 'luck' }])),
    altered((d) => (d.metrics = [{ kind: 'top_k', k: -1 }])),
    altered((d) => (d.optimizer.kind = 'oracle')),
    altered((d) => (d.optimizer.momentum = 1)),
    altered((d) => (d.nodes[1] = { op: 'reshape', name: 'r', inputs: [1], shape: [3, 5] })),
    altered((d) => (d.nodes[1] = { op: 'maxout', name: 'm', inputs: [1], pieces: 0 })),
    altered((d) => (d.nodes[1] = { op: 'dropout', name: 'd', inputs: [1], rate: 1 })),
    altered((d) => (d.nodes[1] = { op: 'activation', name: 'a', inputs: [1], kind: 'hope' })),
    altered((d) => (d.nodes[1] = { op: 'embedding', name: 'e', inputs: [1], parameters: { weight: 0 } })),
    altered((d) => (d.nodes[1] = { op: 'add', name: 'a', inputs: [1, 0] })),
  ]
  for (const wrong of cases) await refused(() => new native.Program(wrong), /./, 'GRADUS_BAD_DESCRIPTOR')
  const beyondMemory = altered((d) => d.parameters.push({ ...d.parameters[0], name: 'vast', shape: [2 ** 48] }))
  await refused(() => new native.Program(beyondMemory), /no memory for/, 'GRADUS_OUT_OF_MEMORY')
})

test.run()
