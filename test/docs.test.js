// The examples in docs/ are run as they stand, and print what stands below them.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('docs')
const root = new URL('..', import.meta.url)
const pages = readdirSync(new URL('docs/checks/', root))

assert.ok(pages.length >= 15)
for (const page of pages) {
  test(page, async () => {
    const text = readFileSync(new URL(`docs/checks/${page}`, root), 'utf8')
    const examples = [...text.matchAll(/```js\n([\s\S]*?)```\n\n```text\n([\s\S]*?)\n```/g)]
    assert.ok(examples.length > 0, 'an example with its output')
    for (const [, code, expected] of examples) {
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { cwd: root })
      assert.is(stdout.trimEnd(), expected)
    }
  })
}

test('every page is in the README, and every check has a page', async () => {
  const readme = readFileSync(new URL('README.md', root), 'utf8')
  for (const page of pages) assert.match(readme, `docs/checks/${page}`)
})

test.run()
