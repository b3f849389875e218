// `npm run compile`, which npm runs as well before it packs the package and after it has installed what development needs:
// makes what does not fit its sources, and nothing else. An interruption at any moment leaves what was there before.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { compile } from './native.js'
import { addonSources, hashOf, prebuild, readStamps, root, writeStamps } from './stamps.js'
import { fail } from './tools.js'

const addon = 'build/Release/gradus.node'

const parts = {
  addon: {
    sources: addonSources,
    result: addon,
    make() {
      console.log('Compiling the native code: some minutes, the first time')
      compile(['gradus'])
    },
  },
  /** Of the addon: without symbols, under a name that says for which C library it is. */
  prebuild: {
    sources: [addon],
    result: prebuild,
    make() {
      const fresh = join(root, `${prebuild}.new`)
      mkdirSync(dirname(fresh), { recursive: true })
      copyFileSync(join(root, addon), fresh)
      run('strip', process.platform === 'darwin' ? '-Sx' : '--strip-all', fresh)
      renameSync(fresh, join(root, prebuild))
    },
  },
  dist: {
    sources: ['lib', 'tsconfig.json', 'scripts', 'package-lock.json'],
    result: 'dist',
    async make() {
      console.log('Compiling TypeScript and the live page')
      const fresh = 'dist-new'
      rmSync(join(root, fresh), { recursive: true, force: true })
      runPackage('typescript', 'tsc', '--outDir', fresh)
      // Imported here, as a checkout may lack the packages that it needs.
      await (await import('./bundle.js')).bundle(join(root, fresh))
      const page = join(root, fresh, 'watch/page')
      runPackage('vite', 'vite', 'build', '--logLevel', 'warn', '--outDir', page, '--emptyOutDir', 'lib/watch/page')
      chmodSync(join(root, fresh, 'cli/main.js'), 0o755)
      exchange(join(root, fresh), join(root, 'dist'))
    },
  },
}

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) fail(`${command}: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

/** A command of a package in node_modules. */
function runPackage(name, command, ...args) {
  const folder = join(root, 'node_modules', name)
  if (!existsSync(folder)) fail('The packages for development are missing: run npm ci, without --omit=dev')
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  run(process.execPath, join(folder, bin[command]), ...args)
}

/** Puts a folder in the place of another. Signals wait: between the two moves there would be none. */
function exchange(fresh, place) {
  const old = `${place}-old`
  const wait = () => {}
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, wait)
  rmSync(old, { recursive: true, force: true })
  if (existsSync(place)) renameSync(place, old)
  renameSync(fresh, place)
  for (const signal of signals) process.off(signal, wait)
  rmSync(old, { recursive: true, force: true })
}

const stamps = readStamps()
for (const [name, { sources, result, make }] of Object.entries(parts)) {
  const from = hashOf(...sources)
  if (stamps[name]?.sources === from && stamps[name].result === hashOf(result)) continue
  await make()
  stamps[name] = { sources: from, result: hashOf(result) }
  writeStamps(stamps)
}
