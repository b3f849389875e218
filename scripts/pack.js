// npm runs it before it packs the package: one without a binary for this platform, or with one of other sources, there is not.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { addonSources, cudaLibrary, cudaSources, hashOf, prebuild, readStamps, root } from './stamps.js'
import { fail } from './tools.js'

const remedy = 'run npm run compile first'
try {
  createRequire(import.meta.url)(join(root, prebuild))
} catch (error) {
  fail(`The package has no binary for this platform (${error.message.split('\n', 1)[0]}): ${remedy}`)
}
// Binaries that were collected from other machines come without stamps.
const { addon, prebuild: packed, cuda } = readStamps()
const isOfTheseSources = addon?.sources === hashOf(...addonSources) && packed?.result === hashOf(prebuild)
if (packed && !isOfTheseSources) fail(`${prebuild} was made of other sources: ${remedy}`)
// The library for GPUs may be missing, for it takes a compiler of its own: the package then says that there is none.
const isCudaOfThese = cuda?.sources === hashOf(...cudaSources) && cuda.result === hashOf(cudaLibrary)
if (cuda && existsSync(join(root, cudaLibrary)) && !isCudaOfThese)
  fail(`${cudaLibrary} was made of other sources: run npm run build:cuda first, or remove it`)
