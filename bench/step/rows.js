// What is measured: each of the works of each net of nets.json. Training is called by its optimizer.
import { readFileSync } from 'node:fs'

const nets = JSON.parse(readFileSync(new URL('nets.json', import.meta.url), 'utf8'))

/** Operations of a batch: forward, and in training the gradients of weights and, but for the first layer, of inputs. */
const operations = (widths, batch, isTraining) =>
  widths.slice(1).reduce((sum, width, layer) => {
    const products = isTraining ? (layer === 0 ? 2 : 3) : 1
    return sum + products * 2 * batch * widths[layer] * width
  }, 0)

const all = nets.flatMap(({ name, widths, batch, works }, net) =>
  works.map((work) => {
    const isTraining = work !== 'evaluate' && work !== 'predict'
    const label = `${name} @ ${batch}`
    // The goals are for the nets that are trained with each of the optimizers.
    const isMain = works.includes('nesterov')
    return { net, work, label, isTraining, isMain, operations: operations(widths, batch, isTraining) }
  }),
)

/** Those whose net and work hold the text; all without one. */
export const rowsWith = (text = '') => all.filter(({ label, work }) => `${label} ${work}`.includes(text))
