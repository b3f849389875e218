// Where something is missing that a command needs, one line says what, and how to get it.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { troublesIn } from '../scripts/cuda.js'
import { prebuild } from '../scripts/stamps.js'

const tools = suite('tools')
const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'gradus-tools-'))
const empty = join(folder, 'empty')
mkdirSync(empty)
tools.after(() => rmSync(folder, { recursive: true }))

/** What a file of the repository says and ends with, where only these commands are there. */
function run(file, args = [], { env = {}, node = process.execPath } = {}) {
  const { npm_config_nodedir, npm_config_python, PYTHON, CXX, ...rest } = process.env
  const options = { cwd: root, env: { ...rest, PATH: empty, ...env }, encoding: 'utf8' }
  const { status, stdout, stderr } = spawnSync(node, [join(root, file), ...args], options)
  return { status, stdout, stderr, lines: stderr.trimEnd().split('\n') }
}

tools('no compiler, make or python: a sentence before node-gyp begins', () => {
  const { status, stdout, lines } = run('scripts/native.js', ['gradus'])
  assert.equal([status, stdout, lines.length], [1, '', 1], lines.join('\n'))
  assert.match(lines[0], /^(g|c)\+\+, make, python3 are missing: apt-get install g\+\+ make python3 \(/)
  assert.match(lines[0], /name another compiler in CXX/)
})

tools('one that is missing is named alone', () => {
  const { status, lines } = run('scripts/tools.js', ['g++', 'clang-format'], { env: { CXX: process.execPath } })
  assert.equal([status, lines.length], [1, 1])
  assert.match(lines[0], /^clang-format is missing: apt-get install clang-format \(/)
  assert.is(run('scripts/tools.js', ['g++'], { env: { CXX: process.execPath } }).status, 0)
})

tools('no headers of Node.js, nor a way to them', () => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const node = join(bin, 'node')
  copyFileSync(process.execPath, node)
  for (const name of ['g++', 'c++', 'make', 'python3']) symlinkSync(process.execPath, join(bin, name))
  // node stands for the tools: it says its version, and ends well.
  symlinkSync('/bin/true', join(folder, 'python'))
  const env = {
    PATH: bin,
    npm_config_devdir: join(folder, 'headers'),
    npm_config_disturl: 'http://127.0.0.1:9',
    npm_config_python: join(folder, 'python'),
  }
  const { status, lines } = run('scripts/native.js', ['gradus'], { node, env })
  assert.equal([status, lines.length], [1, 1], lines.join('\n'))
  assert.match(lines[0], /headers of Node\.js .* could not be downloaded: apt-get install .* npm_config_nodedir/)
})

/** A checkout that has nothing but these files and the scripts. */
function checkout(name, files = {}) {
  const place = join(folder, name)
  cpSync(join(root, 'scripts'), join(place, 'scripts'), { recursive: true })
  for (const [path, text] of Object.entries({ 'package.json': '{ "type": "module" }', ...files })) {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    writeFileSync(join(place, path), text)
  }
  return place
}
const script = (place, name) => spawnSync(process.execPath, [join(place, 'scripts', name)], { encoding: 'utf8' })

tools('a package without a binary for this platform, or with one of other sources, is not packed', () => {
  const bare = script(checkout('bare'), 'pack.js')
  assert.is(bare.status, 1)
  assert.match(bare.stderr, /^The package has no binary for this platform \(.*\): run npm run compile first\n$/)
  const files = { 'binding.gyp': '{}', [prebuild]: readFileSync(join(root, 'build/Release/gradus.node')) }
  const place = checkout('changed', files)
  assert.is(script(place, 'pack.js').status, 0, 'made elsewhere')
  mkdirSync(join(place, 'build'))
  const stamp = { sources: 'of yesterday', result: 'of yesterday' }
  writeFileSync(join(place, 'build/stamps.json'), JSON.stringify({ addon: stamp, prebuild: stamp }))
  const changed = script(place, 'pack.js')
  assert.is(changed.status, 1)
  assert.match(changed.stderr, /^prebuilds\/\S+ was made of other sources: run npm run compile first\n$/)
})

tools('a library for GPUs of other sources is not packed', () => {
  const library = 'prebuilds/linux-x64/gradus_cuda.so'
  const files = {
    'binding.gyp': '{}',
    [prebuild]: readFileSync(join(root, 'build/Release/gradus.node')),
    [library]: 'of yesterday',
    'build/stamps.json': '{}',
  }
  const place = checkout('cuda', files)
  assert.is(script(place, 'pack.js').status, 0, 'made elsewhere')
  const stamp = { sources: 'of yesterday', result: 'of yesterday' }
  writeFileSync(join(place, 'build/stamps.json'), JSON.stringify({ cuda: stamp }))
  const changed = script(place, 'pack.js')
  assert.is(changed.status, 1)
  assert.match(
    changed.stderr,
    /^prebuilds\/\S+ was made of other sources: run npm run build:cuda first, or remove it\n$/,
  )
})

tools('a kernel that needs a stack, or more registers than its occupancy has room for, is told', () => {
  const kernel = (name, stack, registers) => `ptxas info    : Compiling entry function '${name}' for 'sm_90'
ptxas info    : Function properties for ${name}
    ${stack} bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used ${registers} registers, used 1 barriers
`
  const large = '_Zmultiply_tilesTileShapeIfLj128ELj8E'
  const of = (...kernels) => troublesIn(kernels.join(''))
  assert.equal(of(kernel('_Zany', 0, 255), kernel(large, 0, 128), kernel('_Zupdate_spreadId', 0, 120)), [])
  assert.equal(of(kernel('_Zany', 0, 255), kernel('_Zother', 16, 30)), ['_Zother for sm_90: 16 bytes stack frame'])
  assert.equal(of(kernel(large, 0, 129)), [`${large} for sm_90: 129 registers, 128 at most`])
  assert.equal(of('Compiling entry function unknown'), [
    'Compiling entry function unknown: NaN registers, Infinity at most',
  ])
})

tools('a checkout without the packages of development is told to install them', () => {
  const { status, stderr } = script(checkout('production', { 'binding.gyp': '{}' }), 'build.js')
  assert.is(status, 1)
  assert.is(stderr, 'The packages for development are missing: run npm ci, without --omit=dev\n')
})

tools('no browser: the tests of the page fail by themselves, with the way to one', () => {
  const { status, stdout, lines } = run('test/page.test.js', [], { env: { CHROMIUM: join(empty, 'chromium') } })
  assert.equal([status, stdout], [1, ''])
  assert.match(lines.join('\n'), /^\S+chromium is missing: apt-get install chromium, or name one in CHROMIUM$/)
})

tools.run()
