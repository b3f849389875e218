// The package without any other: dist/ and the binary, as in a folder into which it was installed alone.
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export function barePackage(folder) {
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  symlinkSync(join(root, 'build'), join(folder, 'build'))
  symlinkSync(join(root, 'node_modules/node-gyp-build'), join(folder, 'node_modules/node-gyp-build'))
  writeFileSync(join(folder, 'package.json'), '{ "name": "gradus", "type": "module" }')
}
