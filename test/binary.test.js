// Where there is no binary for a machine, or none that loads, one sentence says so.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadBinary } from '../dist/binary.js'

const binary = suite('binary')
const folder = mkdtempSync(join(tmpdir(), 'gradus-binary-'))
binary.after(() => rmSync(folder, { recursive: true }))

const repository = fileURLToPath(new URL('..', import.meta.url))
const machine = `${process.platform}-${process.arch}`
const addon = readFileSync(new URL('../build/Release/gradus.node', import.meta.url))

/** A package with these files in prebuilds/. */
function packageWith(files) {
  const root = mkdtempSync(join(folder, 'package-'))
  mkdirSync(join(root, 'dist'))
  writeFileSync(join(root, 'package.json'), '{ "name": "gradus" }')
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'))
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(join(root, 'prebuilds', name, '..'), { recursive: true })
    writeFileSync(join(root, 'prebuilds', name), bytes)
  }
  return root
}

const moduleIn = (root) => pathToFileURL(join(root, 'dist/native.js')).href

function errorOf(root) {
  try {
    loadBinary(moduleIn(root))
  } catch (error) {
    assert.equal([error.name, error.code], ['GradusError', 'GRADUS_MISSING_BINARY'])
    return error.message
  }
  throw new Error('it loaded')
}

binary('what was looked for, what there is and how to get it', () => {
  const none = errorOf(packageWith({}))
  const library = process.platform === 'linux' ? ' with (glibc [0-9.]+|musl)' : ''
  assert.match(none, new RegExp(`^Gradus has no binary for ${machine}${library}, Node\\.js ${process.version}: `))
  assert.match(none, /: prebuilds\/ is empty\. Build one on such a machine: npm ci and npm pack in a checkout/)
  const others = errorOf(packageWith({ 'linux-mips/gradus.musl.node': '', 'plan9-x64/gradus.node': '' }))
  assert.match(others, /: prebuilds\/ has those for linux-mips \(musl\) and plan9-x64\. /)
  const checkout = packageWith({})
  writeFileSync(join(checkout, 'binding.gyp'), '')
  assert.match(errorOf(checkout), /Run npm run compile$/)
})

binary('a bundle is told to leave the package out', () => {
  const root = packageWith({})
  writeFileSync(join(root, 'package.json'), '{ "name": "application" }')
  for (const url of [moduleIn(root), undefined]) {
    assert.throws(
      () => loadBinary(url),
      ({ code, message }) =>
        code === 'GRADUS_MISSING_BINARY' && message.includes('tell the bundler that "gradus" is external'),
    )
  }
})

binary('a file that is no library', () => {
  const root = packageWith({ [`${machine}/gradus.node`]: 'not a library' })
  assert.match(errorOf(root), /gradus\.node cannot be loaded on .*Node\.js v[0-9.]+: .+\. Build one/)
})

if (process.platform === 'linux') {
  binary('an older glibc, and musl', () => {
    const versions = [...new Set(addon.toString('latin1').match(/GLIBC_2\.\d+/g))]
    const newest = versions.sort((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1])).at(-1)
    const future = newest.replace(/2\.(\d)/, '9.$1')
    const bytes = Buffer.from(addon.toString('latin1').replaceAll(newest, future), 'latin1')
    const root = packageWith({ [`${machine}/gradus.glibc.node`]: bytes })
    const [needed] = /[\d.]+$/.exec(future)
    assert.ok(errorOf(root).includes(`: it needs glibc ${needed} or newer. Build one`))

    const program = `
      const { loadBinary } = await import(${JSON.stringify(new URL('../dist/binary.js', import.meta.url).href)})
      try { loadBinary(process.argv[1]) } catch ({ code, message }) { console.log(code, message) }`
    const env = { ...process.env, LIBC: 'musl' }
    const { stdout } = spawnSync(process.execPath, ['-e', program, '--input-type=module', moduleIn(root)], {
      env,
      encoding: 'utf8',
    })
    assert.match(stdout, /^GRADUS_MISSING_BINARY .* for linux-\w+ with musl, .* has those for linux-\w+ \(glibc\)\. /)
  })
}

binary.run()
