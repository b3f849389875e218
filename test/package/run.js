// `npm run test:package`: what a stranger gets. Packs the package, installs it without network, scripts or compiler into
// an empty project, and uses it there in the ways of consumers.js.
// Last line: N passed, N failed.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mostCudaBytes } from '../../scripts/stamps.js'
import { consumers } from './consumers.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'gradus-package-'))
const project = join(folder, 'project')
const bin = join(folder, 'bin')

/** Nothing can be built or looked up on this path: it has node and no other programme. */
const environment = {
  PATH: bin,
  HOME: folder,
  npm_config_cache: join(folder, 'cache'),
  npm_config_offline: 'true',
  npm_config_update_notifier: 'false',
}
function node(cwd, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, env: environment, encoding: 'utf8' })
  if (status !== 0) throw new Error(`node ${args.join(' ')}\n${stdout}${stderr}`)
  if (stderr !== '') throw new Error(`node ${args.join(' ')} wrote to standard error: ${stderr}`)
}

const npm = (...args) =>
  execFileSync('npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
const compile = () => npm('run', '--silent', 'compile')

let tarball
const steps = {
  'what fits its sources is not made again': () => {
    compile()
    const before = statSync(join(root, 'dist/index.js')).mtimeMs
    const said = compile()
    if (said !== '') throw new Error(`npm run compile said ${said}`)
    if (statSync(join(root, 'dist/index.js')).mtimeMs !== before) throw new Error('dist/ was made again')
  },
  'a tarball is packed': () => {
    const packed = JSON.parse(npm('pack', '--json', '--pack-destination', folder))[0]
    tarball = join(folder, packed.filename)
    const files = packed.files.map(({ path }) => path)
    const expected = [/^README\.md$/, /^LICENSE$/, /^CHANGELOG\.md$/, /^dist\/index\.js$/, /^dist\/index\.d\.ts$/]
    expected.push(new RegExp(`^prebuilds/${process.platform}-${process.arch}/gradus(\\.glibc|\\.musl)?\\.node$`))
    expected.push(/^dist\/cli\/main\.js$/, /^dist\/watch\/page\/page\.js$/, /^node_modules\/commander\//)
    expected.push(/^node_modules\/node-gyp-build\//)
    for (const pattern of expected) {
      if (!files.some((file) => pattern.test(file))) throw new Error(`the tarball lacks ${pattern}`)
    }
    const cuda = packed.files.find(({ path }) => path.endsWith('/gradus_cuda.so'))
    if (cuda?.size > mostCudaBytes) throw new Error(`the library for GPUs has ${cuda.size} bytes`)
    const left = files.filter((file) => /^(native|lib|test|bench|build|examples|scripts)\//.test(file))
    if (left.length > 0) throw new Error(`the tarball has ${left}`)
  },
  'it installs offline into an empty project': () => {
    mkdirSync(project)
    mkdirSync(bin)
    symlinkSync(process.execPath, join(bin, 'node'))
    writeFileSync(join(project, 'package.json'), '{ "private": true }')
    const modules = npm('root', '--global').trim()
    node(
      project,
      join(modules, 'npm/bin/npm-cli.js'),
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      tarball,
    )
  },
  'its command starts': () => node(project, 'node_modules/gradus/dist/cli/main.js', '--version'),
  ...Object.fromEntries(Object.entries(consumers).map(([name, use]) => [name, () => use(project, node)])),
}

let passed = 0
let failed = 0
for (const [name, run] of Object.entries(steps)) {
  try {
    await run()
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
