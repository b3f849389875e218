/** A run as one file that needs no server and no network: the page with the answers to all that it can ask. */
import { createHash } from 'node:crypto'
import { GradusError } from '../../errors.js'
import { pageFiles, readExplanations, readPageFile } from '../server/files.js'
import { address, answer, RunFolder, toJson } from '../server/index.js'
import type { RunList, RunSummary, RunView } from '../server/wire.js'

/** Fewer than the live page shows, since a report holds those of all layers and tensors. */
const histogramRows = 80

export interface Report {
  html: string
  /** How many there are in it. */
  runs: number
  /** Those that are listed in it alone, with the reason. */
  unreadable: readonly RunSummary[]
}

/**
 * `directory` is a run, or a folder of runs, which then are all in it.
 * @throws `GRADUS_BAD_FILE` where no run can be read
 */
export async function makeReport(directory: string): Promise<Report> {
  const answers = await collectAnswers(await RunFolder.open(directory))
  const { runs } = answers['/api/runs'] as RunList
  const unreadable = runs.filter(({ status }) => status === 'unreadable')
  if (unreadable.length === runs.length) {
    const reasons = unreadable.map(({ name, reason }) => `; ${name}: ${reason}`).join('')
    throw new GradusError('GRADUS_BAD_FILE', `${directory} holds no run that can be read${reasons}`)
  }
  return { html: await embed(answers), runs: runs.length - unreadable.length, unreadable }
}

async function collectAnswers(folder: RunFolder): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {}
  const ask = async <Value>(path: string, parameters: Record<string, string> = {}, more = {}): Promise<Value> => {
    const [, query = ''] = address(path, { ...parameters, ...more }).split('?')
    const value = await answer(folder, path, query)
    answers[address(path, parameters)] = value
    return value as Value
  }
  const explanations = await readExplanations()
  const { runs } = await ask<RunList>('/api/runs')
  for (const { name, status } of runs) {
    if (status === 'unreadable') continue
    const parameters = { run: name }
    const { info, findings } = await ask<RunView>('/api/run', parameters)
    for (const { page } of findings) {
      const path = `/${page.replace(/\.md$/, '.html')}`
      answers[path] = explanations.get(path)?.text
    }
    for (const path of ['/api/steps', '/api/tensors', '/api/layers', '/api/latest', '/api/checkpoints'])
      await ask(path, parameters)
    if (info.monitor.histograms === null) continue
    for (const kind of ['activations', 'gradients', 'weights']) {
      for (const item of kind === 'activations' ? info.layers : info.tensors) {
        await ask('/api/histograms', { ...parameters, kind, name: item.name }, { rows: histogramRows })
      }
    }
  }
  return answers
}

/** No script runs in the file but the page's own, by its hash; the answers are data, which no browser runs. */
async function embed(answers: Record<string, unknown>): Promise<string> {
  const style = await readPageFile(pageFiles.style)
  const script = (await readPageFile(pageFiles.script)).replaceAll('</script', '<\\/script')
  const policy =
    `default-src 'none'; script-src '${hash(script)}'; style-src '${hash(style)}'; img-src data:; ` +
    "base-uri 'none'; form-action 'none'"
  const head = [
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    `<style>${style}</style>`,
    `<script type="application/json" id="answers">${toJson(answers)}</script>`,
    `<script type="module">${script}</script>`,
  ]
  const document = await readPageFile(pageFiles.document)
  return document
    .replaceAll(/\s*<(?:script|link rel="stylesheet")[^>]*>(?:<\/script>)?/g, '')
    .replace('<head>', () => `<head>\n${head.join('\n')}`)
}

const hash = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`
