// Where something is missing that a command needs, one line says what, and how to get it.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

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

tools('no browser: the tests of the page fail by themselves, with the way to one', () => {
  const { status, stdout, lines } = run('test/page.test.js', [], { env: { CHROMIUM: join(empty, 'chromium') } })
  assert.equal([status, stdout], [1, ''])
  assert.match(lines.join('\n'), /^\S+chromium is missing: apt-get install chromium, or name one in CHROMIUM$/)
})

tools.run()
