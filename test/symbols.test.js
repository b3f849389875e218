// An inline function that leaves an AVX-512 object can be the copy the linker keeps for everyone, and then crashes on
// machines without AVX-512: the objects of the instruction sets define one global symbol, their table, and no weak one.
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const objects = fileURLToPath(new URL('../build/Release/obj.target', import.meta.url))
const isas = { x64: ['avx2', 'avx512', 'scalar'], arm64: ['neon', 'scalar'] }[process.arch] ?? ['scalar']

/** Names of the symbols that other objects can see; nm's small letters are local ones. */
function visibleSymbols(object) {
  const lines = execFileSync('nm', ['--defined-only', '--demangle', object], { encoding: 'utf8' }).trim().split('\n')
  return lines
    .map((line) => /^\S+ (\S) (.*)$/.exec(line))
    .filter(([, type]) => /[A-Zwvu]/.test(type))
    .map(([, , name]) => name)
}

function objectOf(isa) {
  const paths = readdirSync(objects, { recursive: true })
    .filter((name) => name.endsWith(`cpu/${isa}.o`))
    .map((name) => join(objects, name))
  assert.ok(paths.length > 0, `${isa}.o was not found under build/`)
  return paths.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0] // what an older build left does not count
}

for (const isa of isas) {
  test(`${isa}.o shows nothing but its table`, () => {
    assert.equal(visibleSymbols(objectOf(isa)), [`gradus::${isa}_table`])
  })
}

// With every lane and every loop written out it had 6 MB, took half of a build and was two thirds of the addon.
test('scalar.o has less than a megabyte', () => {
  assert.ok(statSync(objectOf('scalar')).size < 2 ** 20)
})

test.run()
