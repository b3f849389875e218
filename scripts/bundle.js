// Puts the modules that `import 'gradus'` loads into one file, dist/core.js: two hundred files take Node.js four times as
// long. Each stays where it was as a door to what it exports, so that other modules find it by its own name.
import { readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { rolldown } from 'rolldown'

export async function bundle(dist) {
  const core = importedBy(join(dist, 'index.js'))
  const nameOf = (file) => relative(dist, file).replaceAll(sep, '/')
  const build = await rolldown({
    input: Object.fromEntries([...core].map((file) => [nameOf(file).slice(0, -'.js'.length), file])),
    preserveEntrySignatures: 'strict',
    treeshake: false,
    plugins: [
      {
        name: 'in-place',
        /** What is asked for later, and packages, are left where they are. */
        resolveId(path, importer) {
          if (!path.startsWith('.')) return path.startsWith(dist) ? path : { id: path, external: true }
          const file = join(importer, '..', path)
          return core.has(file) ? file : { id: `./${nameOf(file)}`, external: 'absolute' }
        },
        /** Modules go on to find what lies beside them. */
        load(file) {
          const url = `new URL('./${nameOf(file)}', import.meta.url).href`
          const code = readFileSync(file, 'utf8').replaceAll('import.meta.url', url)
          return { code, map: JSON.parse(readFileSync(`${file}.map`, 'utf8')) }
        },
      },
    ],
  })
  const codeSplitting = { groups: [{ name: 'core', test: /./ }] }
  const names = { entryFileNames: '[name].js', chunkFileNames: '[name].js' }
  await build.write({
    dir: dist,
    ...names,
    comments: { annotation: true, jsdoc: false, legal: false },
    sourcemap: true,
    keepNames: true,
    codeSplitting,
  })
  await build.close()
}

/** A module and those that it imports at once. */
function importedBy(file, found = new Set()) {
  if (found.has(file)) return found
  found.add(file)
  for (const [, path] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)[^'(]*'(\.{1,2}\/[^']*)'/gm)) {
    importedBy(join(file, '..', path), found)
  }
  return found
}
