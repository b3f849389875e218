// Programs that use the installed package as strangers do, each in a folder of its own below the project.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import webpack from 'webpack'

const root = fileURLToPath(new URL('../..', import.meta.url))
const resolve = createRequire(import.meta.url).resolve
const tsc = resolve('typescript/bin/tsc')

const names = '{ adam, dense, loadModel, sequential, softmaxCrossEntropy, tanh }'
const body = `
async function main() {
  const x = Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), y = Int32Array.of(0, 1, 1, 0)
  const model = sequential({ input: [2], seed: 1 }, [dense(16), tanh(), dense(2)])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 0.05 }), metrics: ['accuracy'] })
  const history = await model.fit({ x, y }, { epochs: 200, batchSize: 4, quiet: true }).done
  const { accuracy } = await model.evaluate({ x, y })
  if (history.loss.length !== 200 || accuracy !== 1) throw new Error('xor: accuracy is ' + accuracy)
  await model.save('xor.safetensors')
  const scores = await (await loadModel('xor.safetensors')).predict(x)
  if (scores.length !== 4) throw new Error('predict gave ' + scores.length + ' rows')
  if (dot(Float32Array.of(1, 2)) !== 5) throw new Error('matmul')
}
const dot = (v) => matmul(v, v, new Float32Array(1), { m: 1, n: 1, k: 2 })[0]
`
const esm = `import ${names} from 'gradus'\nimport { matmul } from 'gradus/kernels'\n${body}\nawait main()\n`
const commonjs = `const ${names} = require('gradus')\nconst { matmul } = require('gradus/kernels')\n${body}\nmain()\n`
const typed = esm.replace('(v) =>', '(v: Float32Array) =>')
const withoutTopLevelAwait = typed.replace('await main()', 'main()')

const write = (folder, files) => {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof text === 'string' ? text : JSON.stringify(text))
  }
}

const typeRoots = [join(root, 'node_modules/@types')]
/** `module`, `moduleResolution` and the name of the source, whose ending says whether it is CommonJS. */
const resolutions = [
  ['node16', 'node16', 'program.mts'],
  ['node16', 'node16', 'program.cts'],
  ['nodenext', 'nodenext', 'program.mts'],
  ['nodenext', 'nodenext', 'program.cts'],
  ['commonjs', 'node10', 'program.ts'],
  ['esnext', 'bundler', 'program.mts'],
]

/** Name to what runs it, given the project's folder and `node(folder, …arguments)`. */
export const consumers = {
  'it trains from ESM'(project, node) {
    const folder = join(project, 'esm')
    write(folder, { 'program.mjs': esm })
    node(folder, 'program.mjs')
  },
  'import loads few files, and no other package'(project, node) {
    const folder = join(project, 'files')
    const hooks = `import { appendFileSync } from 'node:fs'
      export async function load(url, context, next) {
        appendFileSync('loaded', url + '\\n')
        return next(url, context)
      }`
    const program = `import { createRequire, register } from 'node:module'
      register('./hooks.mjs', import.meta.url)
      await import('gradus')
      const required = Object.keys(createRequire(import.meta.url).cache).filter((file) => file.endsWith('.js'))
      if (!required.every((file) => file.includes('/node-gyp-build/'))) throw new Error(required.join())`
    write(folder, { 'hooks.mjs': hooks, 'program.mjs': program })
    node(folder, 'program.mjs')
    const loaded = readFileSync(join(folder, 'loaded'), 'utf8').trim().split('\n')
    const files = loaded.filter((url) => url.startsWith('file:'))
    // The files of the package, and what answers for the binary.
    if (!files.every((file) => file.includes('/node_modules/gradus/')) || files.length > 10)
      throw new Error(files.join('\n'))
  },
  'it trains from CommonJS'(project, node) {
    const folder = join(project, 'commonjs')
    write(folder, { 'program.cjs': commonjs })
    node(folder, 'program.cjs')
  },
  ...Object.fromEntries(
    resolutions.map(([module, moduleResolution, source]) => [
      `it trains from TypeScript: ${source}, module ${module}, moduleResolution ${moduleResolution}`,
      (project, node) => {
        const folder = join(project, `typescript-${module}-${source.at(-3)}`)
        const compilerOptions = { module, moduleResolution, strict: true, target: 'es2022', types: ['node'], typeRoots }
        // Older ways of resolution are on their way out, and are used all the same.
        if (moduleResolution === 'node10') compilerOptions.ignoreDeprecations = '6.0'
        write(folder, {
          'package.json': { private: true },
          [source]: source.endsWith('.mts') ? typed : withoutTopLevelAwait,
          'tsconfig.json': { compilerOptions, include: [source] },
        })
        node(folder, tsc, '--project', '.')
        node(folder, source.replace('ts', 'js'))
      },
    ]),
  ),
  'what tsc --init writes takes the way from a file to a model'(project, node) {
    const folder = join(project, 'init')
    write(folder, { 'package.json': { private: true, type: 'module' }, 'program.ts': tableToModel })
    node(folder, tsc, '--init')
    const settings = readFileSync(join(folder, 'tsconfig.json'), 'utf8')
    for (const option of ['exactOptionalPropertyTypes', 'noUncheckedIndexedAccess', 'verbatimModuleSyntax']) {
      if (!new RegExp(`^\\s*"${option}": true`, 'm').test(settings)) throw new Error(`tsc --init leaves out ${option}`)
    }
    node(folder, tsc, '--project', '.')
  },
  'it trains under Jest'(project, node) {
    const folder = join(project, 'jest')
    const test = commonjs.replace('\nmain()\n', "\ntest('xor', main)\n")
    write(folder, { 'package.json': { private: true, jest: { testTimeout: 600_000 } }, 'xor.test.js': test })
    node(
      folder,
      join(root, 'node_modules/jest/bin/jest.js'),
      '--runInBand',
      '--silent',
      '--reporters',
      reporter(folder),
    )
  },
  'esbuild leaves it out of a bundle, or is told to'(project, node) {
    const folder = join(project, 'esbuild')
    write(folder, { 'package.json': { private: true }, 'program.mjs': esm, 'program.cjs': commonjs })
    const build = (entry, outfile, options) =>
      buildSync({ absWorkingDir: folder, entryPoints: [entry], outfile, bundle: true, platform: 'node', ...options })
    const external = ['gradus']
    build('program.mjs', 'bundle.mjs', { format: 'esm', external })
    build('program.cjs', 'bundle.cjs', { format: 'cjs', external })
    for (const bundle of ['bundle.mjs', 'bundle.cjs']) node(folder, bundle)
    build('program.mjs', 'whole/bundle.mjs', { format: 'esm', external: optional, logLevel: 'error' })
    refuses(() => node(folder, 'whole/bundle.mjs'), /tell the bundler that "gradus" is external/)
  },
  async 'webpack leaves it out of a bundle'(project, node) {
    const folder = join(project, 'webpack')
    write(folder, { 'package.json': { private: true }, 'program.cjs': commonjs })
    const externals = [{ gradus: 'commonjs gradus', 'gradus/kernels': 'commonjs gradus/kernels' }]
    const output = { path: folder, filename: 'bundle.cjs' }
    await new Promise((done, fail) => {
      webpack(
        { context: folder, entry: './program.cjs', mode: 'none', target: 'node', externals, output },
        (error, stats) => (error || stats.hasErrors() ? fail(error ?? new Error(stats.toString())) : done()),
      )
    })
    node(folder, 'bundle.cjs')
  },
}

/** Whole packages that Gradus asks for only when they are needed. */
const optional = [
  ...['csv-parse', 'fflate', 'npyjs', '@bufbuild/protobuf', 'node-gyp-build', 'commander'],
  ...['bullmq', 'ioredis', 'pg'],
]

const tableToModel = `
import { dense, meanSquaredError, readCsv, sequential, sgd, split, standardize, type Model } from 'gradus'
import { matmul } from 'gradus/kernels'

export async function main(): Promise<Model> {
  const { x, y } = await readCsv('table.csv', { target: 'price' })
  const prices: Float64Array | Int32Array = y
  const { train, test } = split({ x, y: prices }, { fraction: 0.2 })
  const scale = standardize(train.x)
  const model = sequential({ input: [3] }, [dense(1)])
  model.compile({ loss: meanSquaredError(), optimizer: sgd() })
  await model.fit({ x: scale.apply(train.x), y: train.y }, { epochs: 3 }).done
  await model.evaluate({ x: scale.apply(test.x), y: test.y })
  return model
}
const three = [new Float32Array(1), new Float32Array(1), new Float32Array(1)] as const
export const product: Float32Array = matmul(...three, { m: 1, n: 1, k: 1 })
`

/** Jest writes to standard error whatever comes of it; this reporter writes failures alone. */
function reporter(folder) {
  const file = join(folder, 'reporter.cjs')
  const text = `module.exports = class {
    onTestResult(test, { failureMessage }) { if (failureMessage) console.error(failureMessage) }
  }`
  writeFileSync(file, text)
  return file
}

function refuses(act, pattern) {
  try {
    act()
  } catch (error) {
    if (pattern.test(error.message)) return
    throw error
  }
  throw new Error('it did not fail')
}
