// The examples in README and docs/ are run as they stand, and print what stands below them. A block of code that imports
// begins a program; one that does not goes on with the program before it.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('docs')
const root = fileURLToPath(new URL('..', import.meta.url))
const pages = [
  'README.md',
  ...['guides', 'checks', 'diagnosis'].flatMap((folder) =>
    readdirSync(join(root, 'docs', folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${folder}/${name}`),
  ),
]
const read = (page) => readFileSync(join(root, page), 'utf8')

/** [{ code, expected }] of each program of a page; expected is undefined where no output is shown. */
function programsOf(text) {
  const programs = []
  for (const [, code, , expected] of text.matchAll(/```js\n([\s\S]*?)```(\n\n```text\n([\s\S]*?)\n```)?/g)) {
    if (/^import /m.test(code) || programs.length === 0) programs.push([])
    programs.at(-1).push({ code, expected })
  }
  return programs
}

const mark = '\u241e'

/** Runs a program in an empty folder from which `gradus` is found, and returns what each of its blocks printed. */
async function outputsOf(blocks) {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-docs-'))
  try {
    const file = join(root, `build/docs-${process.pid}-${Math.random().toString(36).slice(2)}.mjs`)
    writeFileSync(file, blocks.map(({ code }) => `${code}\nconsole.log('${mark}')\n`).join(''))
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder })
      return stdout.split(`${mark}\n`).slice(0, -1)
    } finally {
      rmSync(file)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

for (const page of pages) {
  test(page, async () => {
    for (const blocks of programsOf(read(page))) {
      const outputs = await outputsOf(blocks)
      for (const [i, { code, expected }] of blocks.entries()) {
        const printed = outputs[i].trimEnd()
        if (expected !== undefined) assert.is(printed, expected)
        else assert.is(printed, '', `prints what the page does not show:\n${code}`)
      }
    }
  })
}

test('every link within README and docs leads to a page that is there', () => {
  for (const page of pages) {
    for (const [, target] of read(page).matchAll(/\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(root, dirname(page), target)), `${page} links to ${target}`)
    }
  }
})

test('every guide and every check has its line in the README or in a guide, and every check an example', () => {
  const text = pages
    .filter((page) => !/docs.(checks|diagnosis)/.test(page))
    .map(read)
    .join('\n')
  for (const page of pages.slice(1)) assert.match(text, page.split('/').at(-1), page)
  for (const page of pages.filter((page) => page.includes('/checks/')))
    assert.ok(programsOf(read(page)).length > 0, page)
})

test.run()
