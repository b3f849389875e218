// The examples end well and say what they should. The demo on MNIST is a step of its own in .ci/run.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('examples')
const root = fileURLToPath(new URL('..', import.meta.url))

/** Where Debian's package puts Fashion-MNIST. */
const clothes = process.env.FASHION_MNIST ?? '/usr/share/datasets/fashion-mnist'

/** File and arguments → what it prints, with the least that its figures must be. */
const examples = [
  [['iris.js'], /accuracy ([\d.]+)\n[^\n]*: virginica/, 0.9],
  [['movies.js'], /held out: ([\d.]+)\n[^\n]*\$\d+ million/, 0.4],
  [['weather.js'], /mean error: [\d.]+ °C; of “as today”: [\d.]+ °C\nbetter by ([\d.]+) %/, 0.5],
  [['languages.js'], /accuracy on words not seen: ([\d.]+)\n.*elfique: fr/, 0.7],
  [['spiral.js'], /accuracy ([\d.]+) %/, 95],
  [['regression.js'], /R² ([\d.]+)/, 0.9],
  [['serve.js', '--once'], /epoch 5: accuracy ([\d.]+).*\nasked meanwhile: south-east/, 0.9],
  [['resume.js'], /disturbed:\nbegins with epoch (\d+)\n(60 epochs.*)\n\ncalm:\nbegins with epoch 1\n\2\n/, 2],
  [
    ['ensemble/index.js', 'mnist', '--share', '0.02'],
    /pictures to train on\n.*NLL.*\n─+\nsingle .*\nseeds × 5 +(0\.\d+)/,
    0.85,
  ],
  [['search/border.js'], /stage 2 goes on to [\d.]+\n[\s\S]*best: rate (0\.\d+), error/, 0.2],
  [['fashion.js', clothes], /accuracy on the test set: ([\d.]+)\nthe first picture: boot/, 0.87],
]

// It fails, rather than being left out: an example that is not run is an untested one.
const missing = `${clothes} is missing: apt-get install dataset-fashion-mnist, or name a folder that has its files in FASHION_MNIST`

for (const [[file, ...rest], printed, least] of examples) {
  test(file, async () => {
    if (file === 'fashion.js' && !existsSync(clothes)) assert.unreachable(missing)
    const { stdout } = await promisify(execFile)(process.execPath, [`examples/${file}`, ...rest], { cwd: root })
    const [, figure] = printed.exec(stdout) ?? assert.unreachable(stdout)
    assert.ok(Number(figure) >= least, stdout)
  })
}

test('each is read in one go: less than 60 lines', () => {
  // Not whatever lies below: an example's installed packages have this very folder among them.
  const files = ['', 'ensemble/', 'search/'].flatMap((folder) =>
    readdirSync(`${root}examples/${folder}`).map((name) => folder + name),
  )
  for (const file of files.filter((name) => name.endsWith('.js'))) {
    const lines = readFileSync(`${root}examples/${file}`, 'utf8').split('\n').length - 1
    assert.ok(lines < 60, `${file}: ${lines}`)
  }
})

test.run()
