// Follows the events of a live page and asks for what the page then draws: the run, its curves and its tensors.
import { unpackAll } from '../../dist/watch/server/packed.js'

const url = new URL(process.argv[2])
const headers = { cookie: '' }
const entered = await fetch(url, { redirect: 'manual' })
headers.cookie = entered.headers
  .getSetCookie()
  .map((cookie) => cookie.split(';')[0])
  .join('; ')

/** Once more, as browsers do, when the server has closed a connection that was idle for long. */
async function ask(path) {
  const get = () => fetch(new URL(path, url.origin), { headers })
  return unpackAll(await (await get().catch(get)).json())
}
const events = await fetch(new URL('/events', url.origin), { headers })
let text = ''
for await (const piece of events.body.pipeThrough(new TextDecoderStream())) {
  text += piece
  for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
    const data = /^data: (.*)$/m.exec(text.slice(0, end))
    text = text.slice(end + 2)
    for (const run of data ? JSON.parse(data[1]).redraw : []) {
      for (const part of ['run', 'steps', 'tensors']) await ask(`/api/${part}?run=${encodeURIComponent(run)}`)
    }
  }
}
