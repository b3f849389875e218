// Follows the events of a live page and asks for what its first view then draws: the run and its curves.
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { extend, mostPoints } from '../../dist/watch/server/columns.js'
import { unpackAll } from '../../dist/watch/server/packed.js'

const url = new URL(process.argv[2])
const agent = new Agent({ keepAlive: true })
const headers = { authorization: `Bearer ${url.hash.replace('#token=', '')}` }

/** A response, as text that comes bit by bit. Not by `fetch`, which takes longer here than in a browser. */
async function open(path) {
  const asked = get(new URL(path, url.origin), { agent, headers })
  const [response] = await once(asked, 'response')
  return response.setEncoding('utf8')
}

/** Once more, as browsers do, when the server has closed a connection that was idle for long. */
async function ask(path) {
  const response = await open(path).catch(() => open(path))
  let text = ''
  for await (const piece of response) text += piece
  return JSON.parse(text)
}

const entered = await open('/')
entered.resume()

/** As the page's source does: the curves are asked for once and then grow by what events bring. */
const curves = new Map()
/** What is judged of a run goes by its epochs, every two seconds at most. */
const judged = new Map()
const judgedFor = 2000
async function hear({ grown, steps, redraw }) {
  for (const { name, epoch } of grown) {
    const last = judged.get(name)
    if (last && (last.epoch === epoch || performance.now() - last.at < judgedFor)) continue
    judged.set(name, { epoch, at: performance.now() })
    if (last && !redraw.includes(name)) await ask(`/api/run?run=${encodeURIComponent(name)}`)
  }
  for (const { run, steps: ends } of steps) {
    if (curves.has(run)) curves.set(run, extend(curves.get(run), unpackAll(ends)))
  }
  for (const run of redraw) {
    const query = `run=${encodeURIComponent(run)}`
    await ask(`/api/run?${query}`)
    const known = curves.get(run)
    if (!known || known.step.length > mostPoints) {
      curves.set(run, unpackAll(await ask(`/api/steps?${query}`)))
    }
  }
}

let text = ''
for await (const piece of await open('/events')) {
  text += piece
  for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
    const data = /^data: (.*)$/m.exec(text.slice(0, end))
    text = text.slice(end + 2)
    if (data) await hear(JSON.parse(data[1]))
  }
}
