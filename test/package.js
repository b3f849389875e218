// `npm run test:package`: what a stranger gets. Packs the prebuilt binary into a tarball, installs it without network,
// scripts or compiler into an empty project, and trains there from ESM, from CommonJS and from TypeScript.
// Last line: N passed, N failed.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'gradus-package-'))
const project = join(folder, 'project')
const bin = join(folder, 'bin')

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
}
main()
`
const names = '{ adam, dense, loadModel, sequential, softmaxCrossEntropy, tanh }'
const typeRoots = [join(root, 'node_modules/@types')]
const compilerOptions = { strict: true, module: 'nodenext', target: 'es2023', types: ['node'], typeRoots }

/** Nothing can be built or looked up on this path: it has node and no other programme. */
const environment = {
  PATH: bin,
  HOME: folder,
  npm_config_cache: join(folder, 'cache'),
  npm_config_offline: 'true',
  npm_config_update_notifier: 'false',
}
function node(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: project,
    env: environment,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`node ${args.join(' ')}\n${stdout}${stderr}`)
  if (stderr !== '') throw new Error(`node ${args.join(' ')} wrote to standard error: ${stderr}`)
}

let tarball
const steps = {
  'a tarball is packed': () => {
    // The binary that is there is brought up to date and packed, instead of one that is built anew for minutes.
    const nodeGyp = join(folder, 'node-gyp')
    writeFileSync(nodeGyp, `#!/bin/sh\ncd '${root}' && exec node_modules/.bin/node-gyp build gradus\n`, { mode: 0o755 })
    const env = { ...process.env, PREBUILD_NODE_GYP: nodeGyp }
    const npm = { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' }
    execFileSync('npm', ['run', '--silent', 'prebuild'], npm)
    const packed = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], npm),
    )[0]
    tarball = join(folder, packed.filename)
    const files = packed.files.map(({ path }) => path)
    const expected = [/^README\.md$/, /^LICENSE$/, /^CHANGELOG\.md$/, /^dist\/index\.js$/, /^dist\/index\.d\.ts$/]
    expected.push(new RegExp(`^prebuilds/${process.platform}-${process.arch}/.+\\.node$`))
    expected.push(/^dist\/cli\/main\.js$/, /^dist\/watch\/page\/page\.js$/, /^node_modules\/commander\//)
    expected.push(/^node_modules\/node-gyp-build\//)
    for (const pattern of expected) {
      if (!files.some((file) => pattern.test(file))) throw new Error(`the tarball lacks ${pattern}`)
    }
    const left = files.filter((file) => /^(native|lib|test|bench|build|examples)\//.test(file))
    if (left.length > 0) throw new Error(`the tarball has ${left}`)
  },
  'it installs offline into an empty project': () => {
    mkdirSync(project)
    mkdirSync(bin)
    symlinkSync(process.execPath, join(bin, 'node'))
    writeFileSync(join(project, 'package.json'), '{ "private": true }')
    const npm = execFileSync('npm', ['root', '--global'], { encoding: 'utf8' }).trim()
    node(join(npm, 'npm/bin/npm-cli.js'), 'install', '--ignore-scripts', '--no-audit', '--no-fund', tarball)
  },
  'its command starts': () => node('node_modules/gradus/dist/cli/main.js', '--version'),
  'it trains from ESM': () => {
    writeFileSync(join(project, 'esm.mjs'), `import ${names} from 'gradus'\n${body}`)
    node('esm.mjs')
  },
  'it trains from CommonJS': () => {
    writeFileSync(join(project, 'common.cjs'), `const ${names} = require('gradus')\n${body}`)
    node('common.cjs')
  },
  'it trains from TypeScript': () => {
    writeFileSync(join(project, 'typed.mts'), `import ${names} from 'gradus'\n${body}`)
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['typed.mts'] }))
    node(join(root, 'node_modules/typescript/bin/tsc'), '--project', '.')
    node('typed.mjs')
  },
}

let passed = 0
let failed = 0
for (const [name, run] of Object.entries(steps)) {
  try {
    run()
    console.log(`ok     ${name}`)
    passed++
  } catch (error) {
    console.log(`FAILED ${name}: ${error.message}`)
    failed++
  }
}
rmSync(folder, { recursive: true })
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0
