// What the page of a study costs its queue's master, in which thousands of trials wait: trials a second while nobody looks, while
// somebody asks for what the page asks for, and while a browser on the same machine shows it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createStudy } from '../../dist/search/index.js'
import { enqueueTrial, StudyReader } from '../../dist/study/index.js'
import { unpackBytes } from '../../dist/watch/server/packed.js'
import { median } from '../lib/median.js'
import { launch, openAt } from '../study/open-page.js'
import { searching } from './searching.js'

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
/** Milliseconds of each window, and before it. */
const [length, settling] = [5000, 1500]

/** The master as a command, and where its page is. */
async function startMaster(file, dir, url) {
  const args = [command, 'search', file, '--dir', dir, '--queue', url]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  for await (const piece of child.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += piece
    const page = /^page: (\S+)$/m.exec(text)
    if (!page) continue
    child.stderr.resume()
    return { child, page: page[1] }
  }
  throw new Error(`The master has ended: ${text}`)
}

/** Asks as the page does: for the study each second, and for the trials that have changed. */
async function askAsPages(url, signal) {
  const { origin, hash } = new URL(url)
  const headers = { authorization: `Bearer ${hash.replace('#token=', '')}` }
  let known = { generation: 0, version: 0 }
  while (!signal.aborted) {
    const { version } = await (await fetch(`${origin}/api/study?study=.`, { headers })).json()
    if (version !== known.version && version > 0) {
      const query = `study=.&generation=${known.generation}&since=${known.version}`
      known = unpackBytes(await (await fetch(`${origin}/api/trials?${query}`, { headers })).arrayBuffer())
    }
    await setTimeout(1000)
  }
}

/** How each window goes, as functions that begin it and end it again. */
const lookers = {
  async nobody() {
    return async () => undefined
  },
  async requests(url) {
    const done = new AbortController()
    const asking = askAsPages(url, done.signal)
    return async () => {
      done.abort()
      await asking
    }
  },
  async browser(url, opened) {
    const browser = await launch()
    const { page, ...times } = await openAt(browser, url)
    opened.push(times)
    return () => browser.close()
  },
}

/** Megabytes, resident. */
const memoryOf = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024

async function measured({ waiting, rounds }) {
  const study = `trials: ${waiting}, trial: ({ params }) => params.x ** 2`
  return await searching('redis', { study }, async ({ folder, file, url }) => {
    const dir = join(folder, 'study')
    await createStudy(file, { dir })
    for (let number = 0; number < waiting; number++) {
      const suggestion = { params: { x: number / waiting }, seed: 1, stage: 1, suggestedBy: 'person', results: [] }
      await enqueueTrial(dir, number, suggestion, { worker: 'person', budget: null })
    }
    const { child, page } = await startMaster(file, dir, url)
    const [windows, opened] = [[], []]
    try {
      await setTimeout(5000)
      for (let round = 0; round < rounds; round++) {
        for (const [name, look] of Object.entries(lookers)) {
          const end = await look(page, opened)
          await setTimeout(settling)
          const from = Date.now()
          await setTimeout(length)
          windows.push({ name, from, to: Date.now(), memory: memoryOf(child.pid) })
          await end()
        }
      }
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    const { trials } = await StudyReader.open(dir, { index: false })
    const times = trials.filter(({ state }) => state === 'complete').map(({ last }) => Date.parse(last.record.time))
    const rateOf = ({ from, to }) => (1000 * times.filter((at) => at >= from && at < to).length) / (to - from)
    return { windows: windows.map((one) => ({ ...one, rate: rateOf(one) })), opened, left: waiting - times.length }
  })
}

export async function pageTable({ quick, rounds }) {
  const waiting = quick ? 2000 : 12_500
  const { windows, opened, left } = await measured({ waiting, rounds })
  const middle = (values) => Math.round(median(values))
  const rows = Object.keys(lookers).map((name) => {
    const own = windows.filter((one) => one.name === name)
    const page =
      name === 'browser'
        ? ['opened', 'longestDraw', 'longestTask'].map((key) => middle(opened.map((one) => one[key])))
        : ['–', '–', '–']
    return [
      name,
      middle(own.map(({ rate }) => rate)),
      Math.round(Math.max(...own.map(({ memory }) => memory))),
      ...page,
    ]
  })
  return {
    title: `The page of a study in which ${left} to ${waiting} trials wait`,
    columns: ['who looks', 'trials a second', 'memory of the master, MB', 'opens, ms', 'longest draw', 'longest task'],
    rows,
    notes: [
      `\`gradus search --queue\` (Redis) of an empty objective, two workers, its page served by the master itself; windows of ${length / 1000} s in turns, medians of ${rounds}. Requests: what the page asks for each second. Browser: Chromium, which shares the two cores with all else and draws anew what each second brings.`,
      'Opens: from the navigation until the table’s rows are on the screen, in a master that is at work; longest task: of the page, 0 below 50 ms.',
    ],
  }
}
