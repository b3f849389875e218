// The examples end well and say what they should. Fashion-MNIST needs a package of Debian and is run where that is installed.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('examples')
const root = fileURLToPath(new URL('..', import.meta.url))

/** File and arguments → what it prints, with the least that its figures must be. */
const examples = [
  [['iris.js'], /accuracy ([\d.]+)\n[^\n]*: virginica/, 0.9],
  [['movies.js'], /held out: ([\d.]+)\n[^\n]*\$\d+ million/, 0.4],
  [['weather.js'], /mean error: [\d.]+ °C; of “as today”: ([\d.]+) °C/, 2],
  [['sentences.js'], /accuracy[^\d]*([\d.]+)/, 0.9],
  [['spiral.js'], /accuracy ([\d.]+) %/, 95],
  [['regression.js'], /R² ([\d.]+)/, 0.9],
  [['serve.js', '--once'], /epoch 5: accuracy ([\d.]+).*\nasked meanwhile: south-east/, 0.9],
  ...(existsSync('/usr/share/datasets/fashion-mnist')
    ? [[['fashion.js'], /accuracy on the test set: ([\d.]+)/, 0.87]]
    : []),
]

for (const [[file, ...rest], printed, least] of examples) {
  test(file, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [`examples/${file}`, ...rest], { cwd: root })
    const [, figure] = printed.exec(stdout) ?? assert.unreachable(stdout)
    assert.ok(Number(figure) >= least, stdout)
  })
}

test.run()
