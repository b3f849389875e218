// Which way data flows, checked on the text of the sources.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('..', import.meta.url))
const architecture = suite('architecture')

const base = [
  'descriptor',
  'errors',
  'checks',
  'devices',
  'options',
  'memory',
  'suggest',
  'call',
  'native',
  'settled',
  'signals',
]
/** What each part of lib/ may import, besides itself. A new part needs a line here. */
const mayImport = {
  errors: [],
  binary: ['errors'],
  version: [],
  descriptor: [],
  native: ['errors', 'binary', 'descriptor'],
  devices: ['errors', 'native'],
  settled: ['errors'],
  suggest: [],
  options: ['errors', 'suggest'],
  checks: ['errors', 'options'],
  memory: ['errors', 'options'],
  processes: [],
  temporary: ['processes'],
  'file-errors': ['errors'],
  files: ['file-errors', 'temporary'],
  claim: ['errors', 'files'],
  json: ['file-errors'],
  study: ['errors', 'files', 'temporary', 'processes', 'claim', 'json', 'normal', 'train'],
  call: ['errors', 'suggest'],
  plot: ['errors', 'checks', 'options'],
  words: [],
  normal: [],
  printable: [],
  signals: [],
  kernels: ['native', 'errors', 'checks', 'options'],
  data: [...base, 'files', 'words'],
  schedules: [...base, 'plot'],
  layers: base,
  losses: [...base, 'metrics'],
  optimizers: base,
  metrics: base,
  train: [
    ...base,
    'processes',
    'temporary',
    'files',
    'claim',
    'plot',
    'data',
    'schedules',
    'losses',
    'optimizers',
    'metrics',
  ],
  model: [
    ...base,
    'files',
    'version',
    'words',
    'data',
    'schedules',
    'layers',
    'losses',
    'optimizers',
    'metrics',
    'train',
  ],
  check: [...base, 'plot', 'words', 'kernels', 'data', 'schedules', 'layers', 'losses', 'optimizers', 'train', 'model'],
  checkpoint: [...base, 'files', 'data', 'schedules', 'train', 'model'],
  ensemble: [
    ...base,
    'processes',
    'files',
    'version',
    'plot',
    'words',
    'data',
    'schedules',
    'layers',
    'losses',
    'metrics',
    'optimizers',
    'train',
    'model',
    'checkpoint',
  ],
  watch: [
    ...base,
    'processes',
    'files',
    'json',
    'version',
    'plot',
    'words',
    'data',
    'losses',
    'metrics',
    'train',
    'model',
    'check',
    'checkpoint',
    'study',
  ],
  search: [
    ...base,
    'processes',
    'temporary',
    'files',
    'claim',
    'json',
    'version',
    'normal',
    'kernels',
    'words',
    'printable',
    'data',
    'study',
    'train',
    'model',
    'checkpoint',
  ],
  cli: [
    'errors',
    'devices',
    'printable',
    'call',
    'checks',
    'options',
    'files',
    'claim',
    'version',
    'study',
    'train',
    'checkpoint',
    'watch',
    'search',
  ],
  index: null,
}

/** Path from the root to text, for every file below a folder with one of these extensions. */
function sources(folder, extensions) {
  const names = readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name))
  return new Map(
    names
      .filter((name) => extensions.includes(extname(name)))
      .map((name) => [name, readFileSync(join(root, name), 'utf8')]),
  )
}

/** `lib/layers/dense.ts` is of the part `layers`, `lib/errors.ts` of `errors`. */
const partOf = (file) => relative('lib', file).split(/[/.]/)[0]

function importsOf(file, text) {
  const paths = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)].map(([, path]) => path)
  return paths.map((path) => join(dirname(file), path))
}

architecture('imports in lib/ go one way', () => {
  const files = sources('lib', ['.ts'])
  assert.ok(files.size > 20)
  for (const [file, text] of files) {
    const part = partOf(file)
    assert.ok(part in mayImport, `${file}: say in test/architecture.test.js what ${part} may import`)
    for (const imported of importsOf(file, text)) {
      assert.ok(files.has(imported.replace(/\.js$/, '.ts')), `${file} imports ${imported}, which is not there`)
      const target = partOf(imported)
      assert.is.not(target, 'index', `${file} imports the package's index`)
      const allowed = mayImport[part] === null || target === part || mayImport[part].includes(target)
      assert.ok(allowed, `${file} imports ${imported}: ${part} must not know of ${target}`)
    }
  }
})

architecture('only lib/binary.ts loads the binary, for lib/native.ts', () => {
  for (const [file, text] of sources('lib', ['.ts'])) {
    if (file === join('lib', 'binary.ts')) continue
    assert.not.match(text, /node-gyp-build|process\.dlopen|\.node['"`]/, file)
    if (file !== join('lib', 'native.ts')) assert.not.match(text, /\/binary\.js'/, file)
  }
})

architecture('the reference has factories among its functions', () => {
  let count = 0
  for (const [file, text] of sources('lib', ['.ts'])) {
    for (const [, before, name] of text.matchAll(
      /(.*\n.*)\*\/\nexport const (\w+) = (?:factory|layerFactory|plain)\(/g,
    )) {
      assert.match(before, /@function/, `${file}: ${name} wants @function at the end of its comment`)
      count++
    }
  }
  assert.ok(count > 60, String(count))
})

/** Paths of quoted includes, from native/ where they are not beside the file, and names of the others. */
function includesOf(file, text, all) {
  return [...text.matchAll(/^\s*#\s*include\s+[<"]([^>"]+)[>"]/gm)].map(([, name]) => {
    const beside = join(dirname(file), name)
    return all.has(beside) ? beside : join('native', name)
  })
}

architecture('includes in native/ go one way, and only the binding knows of JavaScript', () => {
  const files = sources('native', ['.h', '.cc', '.def', '.cu', '.cuh'])
  const forbidden = [
    { in: 'native/kernels/', names: /^native\/(engine|binding)\// },
    { in: 'native/engine/', names: /^native\/binding\// },
  ]
  assert.ok(files.size > 10)
  for (const [file, text] of files) {
    for (const included of includesOf(file, text, files)) {
      for (const rule of forbidden) {
        if (file.startsWith(rule.in)) assert.not.match(included, rule.names, `${file} includes ${included}`)
      }
      if (file.startsWith('native/binding/') || file === 'native/addon.cc') continue
      assert.not.match(
        included,
        /^native\/(napi|node_api|js_native_api|uv|v8|node)\.h$/,
        `${file} includes ${included}`,
      )
    }
  }
})

/**
 * The engine from the ground up: a file may include what lies on its own floor and below, in no circle. A name stands for
 * its header and source, one with an extension for that file alone, a folder for all in it. A new file needs a place.
 */
const engineFloors = [
  ['error', 'value', 'arena', 'fields', 'fingerprint', 'floating_point', 'host', 'parameter', 'streams'],
  ['memory', 'host_call', 'device_library', 'scheduling'],
  [
    'inspection_layout',
    'partition',
    'pool',
    'losses',
    'metrics.def',
    'optimizers',
    'names',
    'dataset',
    'augmentation',
    'dataset_fingerprint',
    'residence',
    'library_device',
  ],
  ['cpu_device', 'plan', 'calls', 'workspace', 'pass', 'snapshot'],
  ['op', 'ops/', 'ops', 'model', 'state', 'context', 'running'],
  [
    'augmented_images',
    'batch',
    'rows',
    'views',
    'objective',
    'metrics',
    'layer_statistics',
    'inspection',
    'penalties',
    'corrections',
    'step_numbers',
  ],
  ['orthogonalization', 'directions', 'optimizer', 'curvature', 'probe'],
  ['step', 'step_memory', 'train'],
  ['program.h'],
  ['typed_program'],
  ['program.cc', 'ensemble'],
]

/** Includes within the engine, as the names that the floors give the files: name → names. */
function engineIncludes() {
  const names = new Set(engineFloors.flat())
  const files = sources('native/engine', ['.h', '.cc', '.def'])
  const nameOf = (file) => {
    const path = relative('native/engine', file)
    const name = [path, path.replace(/\.\w+$/, ''), `${dirname(path)}/`].find((name) => names.has(name))
    assert.ok(name, `${file}: say in test/architecture.test.js on which floor of the engine it is`)
    return name
  }
  const includes = new Map([...names].map((name) => [name, new Set()]))
  const used = new Set()
  for (const [file, text] of files) {
    const name = nameOf(file)
    used.add(name)
    for (const included of includesOf(file, text, files))
      if (files.has(included) && nameOf(included) !== name) includes.get(name).add(nameOf(included))
  }
  for (const name of names) assert.ok(used.has(name), `there is no ${name} in native/engine/`)
  return includes
}

architecture('the engine stands on its floors, and goes round in no circle', () => {
  const floorOf = new Map(engineFloors.flatMap((floor, number) => floor.map((name) => [name, number])))
  const includes = engineIncludes()
  for (const [name, includedNames] of includes)
    for (const included of includedNames)
      assert.ok(floorOf.get(included) <= floorOf.get(name), `${name} includes ${included}, which lies above it`)
  // Whoever includes nothing that is left of its floor is taken away; a circle stays.
  const isFree = ([name, included]) =>
    ![...included].some((other) => includes.has(other) && floorOf.get(other) === floorOf.get(name))
  for (let free = [...includes].find(isFree); free; free = [...includes].find(isFree)) includes.delete(free[0])
  assert.equal([...includes.keys()], [], 'these include one another')
})

architecture('kernels written on the virtual vector include nothing but lists and parts of their own', () => {
  for (const [file, text] of sources('native/kernels/cpu', ['.h'])) {
    if (!file.endsWith('-inl.h') || file.endsWith('table-inl.h')) continue
    assert.not.match(text.replaceAll(/^#include "[^"]*(\.def|-inl\.h)"$/gm, ''), /^\s*#\s*include/m, file)
    assert.not.match(text, /\bstd::/, `${file}: inline functions of the library would leak from the object`)
  }
})

architecture('kernels for a GPU keep to what the emulator knows', () => {
  const ofTheMachine = ['machine.h', 'queue.cu', 'queue.h', 'steps.h'].map((name) => join('native/kernels/cuda', name))
  const others = [...sources('native/kernels/cuda', ['.h', '.cu'])].filter(([file]) => !ofTheMachine.includes(file))
  assert.ok(others.length > 15)
  for (const [file, text] of others) {
    assert.not.match(
      text,
      /<<<|\basm\b|__shared__|__global__|__CUDA|__(sync|shfl|any|ballot)|atomicAdd|threadIdx/,
      file,
    )
    assert.not.match(text, /\b(printf|malloc|std::)|\bnew\b/, file)
  }
})

architecture('every file can be read in one sitting', () => {
  for (const folder of ['lib', 'native', 'test']) {
    for (const [file, text] of sources(folder, ['.ts', '.js', '.h', '.cc', '.cu', '.def'])) {
      assert.ok(text.split('\n').length - 1 <= 400, `${file} is longer than 400 lines`)
    }
  }
})

architecture.run()
