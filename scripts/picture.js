// `node scripts/picture.js`: films docs/pictures/live.webp, a terminal in which examples/mnist.js runs and the live page beside it:
// first with a learning rate that is too high, then as it should be. Needs what `npm run compile` makes, chromium, and
// Debian's img2webp. Takes a minute; where the machine is busy the training looks slower than it is.
import { spawn, spawnSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import xterm from '@xterm/headless'
import { launch, openPage } from '../test/support/browser.js'
import { requireTools } from './tools.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const output = process.argv[2] ?? join(root, 'docs/pictures/live.webp')
/** In CSS pixels; the picture has `scale` times as many. */
const size = { width: 1000, page: 700, columns: 134, rows: 12 }
const scale = 1.25
/** Milliseconds of the whole film and of its first frame; those between frames, as filmed and as shown. */
const times = { film: 20_000, poster: 1000, filmed: 250, shown: 125 }

/** A terminal and what stands on its screen. */
class Terminal {
  #screen = new xterm.Terminal({ cols: size.columns, rows: size.rows, convertEol: true, allowProposedApi: true })
  #events = new EventEmitter()
  #written = ''

  write(text) {
    this.#screen.write(text)
    this.#written += text
    this.#events.emit('written')
  }

  get lines() {
    const { active } = this.#screen.buffer
    const lineAt = (i) => active.getLine(active.viewportY + i)?.translateToString(true) ?? ''
    return Array.from({ length: size.rows }, (_, i) => lineAt(i))
  }

  /** The first match in what is written from now on. */
  async wait(pattern) {
    const begin = this.#written.length
    for (;;) {
      const found = pattern.exec(this.#written.slice(begin))
      if (found) return found
      await once(this.#events, 'written')
    }
  }

  /** Types a command and runs it in a terminal of the system's. What is returned presses keys, and waits for the end. */
  async run(command, cwd) {
    this.write('$ ')
    for (const letter of command) {
      this.write(letter)
      await pause(40)
    }
    this.write('\n')
    const set = `stty cols ${size.columns} rows ${size.rows}; exec ${command}`
    const child = spawn('script', ['-qfec', set, '/dev/null'], { cwd, stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdout.setEncoding('utf8').on('data', (text) => this.write(text))
    const ended = new Promise((resolve) => child.once('close', resolve))
    return { press: (key) => child.stdin.write(key), ended }
  }
}

/** What is filmed: frames of the terminal's lines and the page's picture, and when they were. */
class Film {
  frames = []
  page = null
  address = ''
  /** Where nothing moves, it stands for all: the first frame. */
  poster = null
  #isRolling = true

  async roll(terminal) {
    while (this.#isRolling) {
      const begin = performance.now()
      const picture = await this.page?.screenshot({ type: 'png' }).catch(() => undefined)
      this.frames.push({ at: begin, lines: terminal.lines, picture, address: this.address })
      await pause(Math.max(0, times.filmed - (performance.now() - begin)))
    }
  }

  cut() {
    this.#isRolling = false
  }
}

/** Trains twice, and looks at the page as somebody would. */
async function act(terminal, film, browser, cwd) {
  const watch = async () => {
    const [address] = await terminal.wait(/http:\S+(?=\s)/)
    const opened = await openPage(browser, address, { width: size.width, height: size.page })
    film.page = opened.page
    film.address = address
    return opened.page
  }
  const first = await terminal.run('node examples/mnist.js 0.1', cwd)
  const bad = await watch()
  await bad.locator('#findings', { hasText: 'dead' }).waitFor()
  await pause(3000)
  first.press('\x03')
  await first.ended
  terminal.write('\x1b[2J\x1b[H')

  const second = await terminal.run('node examples/mnist.js', cwd)
  const ended = terminal.wait(/read right/)
  const good = await watch()
  await good.locator('[id="compare:mnist"]').check()
  await terminal.wait(/epoch 8/)
  film.poster = film.frames.at(-1)
  await good.getByRole('tab', { name: 'Predictions' }).click()
  await ended
  await pause(4000)
  second.press('\x03')
  await second.ended
}

const stage = `<!doctype html><meta charset="utf-8"><style>
  body { margin: 0; background: #fff; font: 12px/16px 'DejaVu Sans Mono', monospace; }
  pre { margin: 0 0 10px; padding: 10px 14px; background: #1d2530; color: #e6e9ee; border-radius: 8px; font: inherit;
    height: ${16 * size.rows}px; overflow: hidden; }
  figure { margin: 0; border: 1px solid #cfd4da; border-radius: 8px; overflow: hidden; }
  figcaption { padding: 5px 14px; background: #e9ecf0; color: #59636e; height: 16px; }
  pre i { display: inline-block; width: 1ch; overflow: hidden; height: 16px; vertical-align: top; }
  img { display: block; width: 100%; height: ${size.page}px; background: #f4f5f7; }
</style><pre></pre><figure><figcaption></figcaption><img alt=""></figure>`

/** The frames as files, one PNG each. */
async function compose(frames, browser, folder) {
  const viewport = { width: size.width, height: 16 * size.rows + 30 + 28 + size.page }
  const page = await browser.newPage({ viewport, deviceScaleFactor: scale })
  await page.setContent(stage)
  const files = []
  for (const [i, { lines, picture, address }] of frames.entries()) {
    const shown = [lines.join('\n'), picture?.toString('base64'), address.replace(/#.*/, '')]
    await page.evaluate(async ([text, picture, address]) => {
      // Braille may come from another font, of another width.
      const parts = text.split(/([\u2800-\u28ff])/).map((part, i) => {
        if (i % 2 === 0) return part
        return Object.assign(document.createElement('i'), { textContent: part })
      })
      document.querySelector('pre').replaceChildren(...parts)
      document.querySelector('figcaption').textContent = address || ' '
      const image = document.querySelector('img')
      image.src = picture
        ? `data:image/png;base64,${picture}`
        : 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA='
      await image.decode().catch(() => {})
    }, shown)
    files.push(join(folder, `${String(i).padStart(4, '0')}.png`))
    writeFileSync(files.at(-1), await page.screenshot({ type: 'png' }))
  }
  return files
}

/** Those of the frames that are shown, and for how many milliseconds each: `times.film` in all. */
function cutToLength(frames) {
  const [begin, end] = [frames[0].at, frames.at(-1).at + times.filmed]
  const shownAt = ({ at }) => (times.film * (at - begin)) / (end - begin)
  const shown = []
  for (const frame of frames) {
    if (shown.length === 0 || shownAt(frame) - shownAt(shown.at(-1)) >= times.shown) shown.push(frame)
  }
  const ends = [...shown.slice(1).map(shownAt), times.film]
  return { shown, durations: shown.map((frame, i) => Math.round(ends[i] - shownAt(frame))) }
}

function encode(files, durations) {
  const frames = files.flatMap((file, i) => ['-d', durations[i], '-lossy', '-q', 40, '-m', 6, file])
  const { status, stderr } = spawnSync('img2webp', ['-loop', 0, '-min_size', ...frames, '-o', output].map(String))
  if (status !== 0) throw new Error(String(stderr))
}

requireTools(['img2webp', 'script'])
const folder = process.env.KEEP ?? mkdtempSync(join(tmpdir(), 'gradus-picture-'))
const browser = await launch()
try {
  symlinkSync(join(root, 'examples'), join(folder, 'examples'))
  const [terminal, film] = [new Terminal(), new Film()]
  const rolling = film.roll(terminal)
  await act(terminal, film, browser, folder)
  film.cut()
  await rolling
  const { shown, durations } = cutToLength(film.frames)
  const [poster, ...files] = await compose([film.poster, ...shown], browser, folder)
  encode([poster, ...files], [times.poster, ...durations])
  console.log(`${output}: ${files.length} frames, ${Math.round(statSync(output).size / 1000)} kB`)
} finally {
  await browser.close()
  if (!process.env.KEEP) rmSync(folder, { recursive: true })
}
