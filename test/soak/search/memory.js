// What a worker needs for a study of ten thousand trials with thirty reports each, beyond what one of ten trials needs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventsOf, trialsOf, worker } from './common.js'

const reports = 30
const most = 100

/** A copy of a trial as a search writes it, with another number and other parameters. */
function copyTrials(dir, count) {
  const [folder, first] = [join(dir, 'trials'), join(dir, 'trials', '00000')]
  const [claim, result] = ['1.json', '2.json'].map((name) => JSON.parse(readFileSync(join(first, name), 'utf8')))
  for (let number = 1; number < count; number++) {
    const path = join(folder, String(number).padStart(5, '0'))
    const params = { u: Math.sin(7 * number), v: Math.cos(11 * number) }
    const suggestion = { ...claim.suggestion, params, results: [[0, number - 1]] }
    mkdirSync(path)
    writeFileSync(join(path, '1.json'), JSON.stringify({ ...claim, suggestion }))
    writeFileSync(join(path, '2.json'), JSON.stringify({ ...result, epoch: reports, value: Math.sin(number) }))
    writeFileSync(join(path, 'beats.1'), '0\n')
    const line = (_, epoch) => `${JSON.stringify({ epoch: epoch + 1, value: Math.sin(number * epoch) })}\n`
    writeFileSync(join(path, 'reports.1.jsonl'), Array.from({ length: reports }, line).join(''))
  }
}

export async function memory({ folder, trials = 10_000, more = 20 }) {
  const needs = []
  for (const count of [10, trials]) {
    const dir = join(folder, `${count}`)
    const study = { kind: 'reproducible', reproducible: false, trials: count + more }
    await worker(dir, study, { trials: 1 }).ended
    copyTrials(dir, count)
    const run = worker(dir, study, { trials: more })
    const { code, err } = await run.ended
    if (code !== 0) return { figures: '', found: [err] }
    needs.push(eventsOf(run).at(-1).megabytes)
    const { length } = await trialsOf(dir)
    if (length !== count + more) return { figures: '', found: [`${length} trials of ${count + more}`] }
  }
  const beyond = needs[1] - needs[0]
  const found = beyond > most ? [`wanted are ${most} MB`] : []
  return {
    figures: `${trials} trials need ${beyond.toFixed(0)} MB more than 10 (${needs.map(Math.round).join(', ')})`,
    found,
  }
}
