// Mistakes that a search must not have, each planted in what the compiler makes: a test has to find it, and has nothing to find
// without it.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** What is changed in which file, and the test that must find it. */
const mistakes = {
  'a result is checked for, then written': {
    file: 'files.js',
    from: 'return await isFirst(() => link(temporary, path), temporary, path);',
    to: 'return await lstat(path).then(() => false, async () => { await (await import("node:fs/promises")).copyFile(temporary, path); return true; });',
    test: ['test/study-trials.test.js'],
  },
  'a claim is checked for, then written': {
    file: 'study/place-text.js',
    from: 'linkSync(temporary, path);',
    to: 'const fs = process.getBuiltinModule("node:fs"); if (fs.existsSync(path)) return false; fs.copyFileSync(temporary, path);',
    test: ['test/study-trials.test.js'],
  },
  'a lease goes by the clock on the wall': {
    file: 'study/lease.js',
    from: 'return this.look(beats, readBeat(beats));',
    to: 'return Date.now() - process.getBuiltinModule("node:fs").statSync(beats).mtimeMs > this.#lease;',
    test: ['test/soak/search.js', 'clocks'],
  },
  'trials without a result count as good': {
    file: 'search/samplers/tpe/tpe.js',
    from: 'kinds.bad.push(place)',
    to: 'kinds.good.push(place)',
    test: ['test/model-samplers.test.js'],
  },
  'ranges are narrowed on the linear scale': {
    file: 'search/stages/ranges.js',
    from: '(isLogarithmic(parameter) ? logarithmic : linear)',
    to: 'linear',
    test: ['test/search-worker.test.js'],
  },
  'a stop waits for the epoch after': {
    file: 'search/worker/trial-control.js',
    from: 'const look = () => void this.look().catch(() => undefined);',
    to: 'const look = () => undefined;',
    test: ['test/search-worker-others.test.js'],
  },
}

function runIn(folder, test) {
  const { status } = spawnSync(process.execPath, test, { cwd: folder, timeout: 400_000, stdio: 'ignore' })
  return status
}

export async function planted({ folder }) {
  const found = []
  let count = 0
  const dist = join(folder, 'dist')
  // The built package has several files in one.
  spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '--outDir', dist], { cwd: root, stdio: 'inherit' })
  for (const [name, { file, from, to, test }] of Object.entries(mistakes)) {
    const copy = join(folder, `${++count}`)
    mkdirSync(copy)
    cpSync(dist, join(copy, 'dist'), { recursive: true })
    cpSync(join(root, 'test'), join(copy, 'test'), { recursive: true })
    for (const part of ['node_modules', 'build', 'prebuilds', 'package.json', 'commonjs'])
      symlinkSync(join(root, part), join(copy, part))
    if (runIn(copy, test) !== 0) found.push(`${test.join(' ')} fails without a mistake`)
    const path = join(copy, 'dist', file)
    const text = readFileSync(path, 'utf8')
    if (!text.includes(from)) found.push(`${file} has changed: ${from}`)
    writeFileSync(path, text.replace(from, to))
    if (runIn(copy, test) === 0) found.push(`${test.join(' ')} does not find that ${name}`)
    else console.log(`  found: ${name}`)
  }
  return { figures: `${count - found.length} of ${count} planted mistakes found`, found }
}
