// node bench/search/ours.js OUT.json PROBLEMS SAMPLERS FIRST COUNT (lists separated by commas): regrets as rivals.py writes
// them; what OUT.json has is not done again.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { problems } from './problems.js'
import { samplerOf } from './samplers.js'
import { search } from './search.js'

const [path, chosen, names, first, count] = process.argv.slice(2)
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const out = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { regrets: {} }
out.versions = { gradus: version }
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  for (const problem of chosen.split(',')) {
    for (const name of names.split(',')) {
      out.regrets[problem] ??= {}
      out.regrets[problem][name] ??= {}
      const known = out.regrets[problem][name]
      if (known[seed]) continue
      known[seed] = await search(await samplerOf(name), problems[problem], seed)
      writeFileSync(`${path}.part`, JSON.stringify(out))
      renameSync(`${path}.part`, path)
    }
  }
}
