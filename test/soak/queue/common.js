// What the soaks of queues have in common: masters and workers as processes, and how often trials were begun.
import { existsSync, readFileSync } from 'node:fs'
import { startScript } from '../../support/search-studies.js'
import { childrenOf, pathOf as pathIn } from '../search/common.js'

const pathOf = (name) => pathIn(`../queue/${name}`)
const studyIn = (study) => ({ GRADUS_SOAK_STUDY: JSON.stringify(study) })

export const master = (url, dir, study, { before, ...options } = {}) =>
  startScript(pathOf('master.js'), [JSON.stringify({ url, dir, ...options })], { env: studyIn(study), before })

export const worker = (url, name, study, { before, ...options } = {}) =>
  startScript(pathOf('worker.js'), [JSON.stringify({ url, name, ...options })], { env: studyIn(study), before })

/** How often each trial was begun, wherever: a line a time. */
export const begunIn = (log) =>
  existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean).map(Number) : []

/** A worker and the process that it trains in. */
export const processesOf = ({ child }) => [child.pid, ...childrenOf(child.pid)]
