// npm runs it before it packs the package: one without a binary for this platform, or with one of other sources, there is not.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { addonSources, hashOf, prebuild, readStamps, root } from './stamps.js'
import { fail } from './tools.js'

const remedy = 'run npm run compile first'
try {
  createRequire(import.meta.url)(join(root, prebuild))
} catch (error) {
  fail(`The package has no binary for this platform (${error.message.split('\n', 1)[0]}): ${remedy}`)
}
// Binaries that were collected from other machines come without stamps.
const { addon, prebuild: packed } = readStamps()
const isOfTheseSources = addon?.sources === hashOf(...addonSources) && packed?.result === hashOf(prebuild)
if (packed && !isOfTheseSources) fail(`${prebuild} was made of other sources: ${remedy}`)
