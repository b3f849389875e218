// An HTTP service that predicts while it trains its next model: the event loop stays free.
// Run: node examples/serve.js, then: curl 'http://127.0.0.1:8080/?x=0.5&y=-1'. With --once it asks itself and ends.
import { createServer } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { adam, dense, relu, sequential, softmaxCrossEntropy } from 'gradus'

/** Which quadrant a point lies in. */
const quadrant = (x, y) =>
  ['north-east', 'north-west', 'south-west', 'south-east'][y > 0 ? (x > 0 ? 0 : 1) : x > 0 ? 3 : 2]
const points = Array.from({ length: 20_000 }, (_, i) => [Math.sin(i) * (i % 7), Math.cos(3 * i) * (i % 5)])
const data = { x: points, y: points.map(([x, y]) => quadrant(x, y)) }

const make = (seed) =>
  sequential({ input: [2], seed }, [dense(64), relu(), dense(64), relu(), dense(4)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam(),
    metrics: ['accuracy'],
  })

let serving = make(1)
await serving.fit(data, { epochs: 1, quiet: true })

const server = createServer(async (request, response) => {
  const { searchParams } = new URL(request.url, 'http://localhost')
  try {
    const [answer] = await serving.predictClasses([[Number(searchParams.get('x')), Number(searchParams.get('y'))]])
    response.end(`${answer}\n`)
  } catch (error) {
    response.writeHead(400).end(`${error.message}\n`)
  }
})
server.listen(process.argv.includes('--once') ? 0 : 8080, '127.0.0.1')

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
const next = make(2)
for await (const { epoch, accuracy } of next.fit(data, { epochs: 5, quiet: true })) {
  const late = ((delay.max - 1e6) / 1e6).toFixed(1)
  console.log(`epoch ${epoch}: accuracy ${accuracy.toFixed(3)}; the event loop was late by ${late} ms at most`)
  delay.reset()
  if (process.argv.includes('--once')) console.log('asked meanwhile:', await ask(`?x=${epoch}&y=-1`))
}
serving = next
if (process.argv.includes('--once')) server.close()

async function ask(query) {
  const { port } = server.address()
  return (await (await fetch(`http://127.0.0.1:${port}/${query}`)).text()).trim()
}
