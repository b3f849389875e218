// A curve from noisy samples: mean squared error, inputs standardised, validation data, early stopping.
import { adam, dense, earlyStopping, meanSquaredError, sequential, split, standardize, tanh } from 'gradus'

const curve = (t) => Math.sin(2 * t) + t / 4
const noise = (i) => Math.sin(i * 12.9898) * Math.cos(i * 78.233) // repeatable, between -1 and 1
const times = Float32Array.from({ length: 400 }, (_, i) => i / 50)
const y = times.map((t, i) => curve(t) + 0.2 * noise(i))
const { train, test: validation } = split({ x: { data: times, shape: [400, 1] }, y: { data: y, shape: [400, 1] } })

// The network sees standardised inputs; the scale comes from the training data alone.
const scale = standardize(train.x)
const model = sequential({ input: [1], seed: 1 }, [dense(32), tanh(), dense(32), tanh(), dense(1)])
model.compile({ loss: meanSquaredError(), optimizer: adam({ learningRate: 0.01 }), metrics: ['r2'] })
const stopping = earlyStopping({ patience: 40, restoreBest: true })
const scaled = ({ x, y }) => ({ x: scale.apply(x), y })
const options = { epochs: 400, validation: scaled(validation), callbacks: [stopping], quiet: true }
const { epochs } = await model.fit(scaled(train), options)
const { loss, r2 } = await model.evaluate(scaled(validation))
console.log(`${epochs} epochs, best ${stopping.best.epoch}: loss ${loss.toFixed(4)}, R² ${r2.toFixed(4)}`)

const points = [0, 1, 2, 3, 4, 5, 6, 7]
const found = await model.predict(scale.apply({ data: Float32Array.from(points), shape: [8, 1] }))
for (const [i, t] of points.entries()) {
  console.log(`t = ${t}: curve ${curve(t).toFixed(3)}, model ${found[i][0].toFixed(3)}`)
}
