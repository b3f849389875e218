// The system calls of a process that writes a checkpoint: listed, or one of them made to fail or to be the last.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startScript } from './lines.js'

/** Why nothing can be traced here; null where it can. */
export function whyNoStrace() {
  const { status, error } = spawnSync('strace', ['-o', '/dev/null', 'true'])
  if (status === 0) return null
  return error ? 'strace is missing: apt-get install strace' : 'strace may not trace here: ptrace is not permitted'
}

/** More temporary files than this are not made in the time that is looked at. */
const mostTemporaries = 8
const marked = 'TEMPORARY'

/**
 * Has a child write the checkpoint of an epoch, and tells how it ended: `{ code, signal, said, errors }`, and with a `log` its `calls`, each
 * `{ call, path, text }`. A point is `{ call, path, number }`: the so-manieth such call on that path, below `dir`.
 */
export async function traceSave(
  dir,
  {
    log,
    point,
    effect,
    epochs = 2,
    waitsIn = epochs,
    keeping = { every: 'epoch', keep: 1 },
    options: further = [],
  } = {},
) {
  const given = [dir, String(epochs), String(waitsIn), JSON.stringify(keeping)]
  const { child, line, exited, errors, kill } = startScript('saves-when-told.js', ...given)
  let strace
  try {
    const { thread, temporary } = JSON.parse(await line())
    const path = (name) => namesOf(join(dir, name), temporary).flatMap((path) => ['-P', path])
    const inject = point && [...path(point.path), '-e', `inject=${point.call}:${effect}:when=${point.number}`]
    const options = [
      '-y',
      '-p',
      thread,
      '-e',
      'trace=%file,%desc',
      '-o',
      log ?? '/dev/null',
      ...further,
      ...(inject ?? []),
    ]
    strace = spawn('strace', options, { stdio: ['ignore', 'ignore', 'pipe'] })
    await said(strace, /attached/)
    const ended = once(strace, 'exit')
    child.stdin.write('\n')
    const lines = []
    for (let text = await line(); text !== undefined; text = await line()) lines.push(text)
    const [code, signal] = await exited
    await ended
    return { code, signal, said: lines, errors: errors(), ...(log && { calls: callsOf(log, dir) }) }
  } finally {
    await kill()
    strace?.kill('SIGKILL')
  }
}

/** Resolves when the child has written to standard error what is looked for. */
function said(child, pattern) {
  let text = ''
  return new Promise((resolve, reject) => {
    child.stderr.on('data', (data) => {
      text += data
      if (pattern.test(text)) resolve()
    })
    child.once('exit', () => reject(new Error(`strace ended: ${text}`)))
  })
}

const numbered = /-(\d+)\.tmp$/

function namesOf(path, temporary) {
  if (!path.endsWith(marked)) return [path]
  const [, first] = numbered.exec(temporary)
  const folder = path.slice(0, -marked.length)
  return Array.from(
    { length: mostTemporaries },
    (_, i) => folder + temporary.replace(numbered, `-${Number(first) + i}.tmp`),
  )
}

/** Those on files below `dir`, with what each is called there: names of temporary files differ from process to process. */
function callsOf(log, dir) {
  const calls = []
  for (const text of readFileSync(log, 'utf8').split('\n')) {
    const [, call] = /^(\w+)\(/.exec(text) ?? []
    const at = text.indexOf(dir)
    if (call === undefined || at < 0) continue
    const path = /^[^">]*/.exec(text.slice(at + dir.length + 1))[0]
    calls.push({ call, path: path.replace(/[^/]*\.tmp$/, marked), text })
  }
  return calls
}

/** Each call of the list as a point. */
export function pointsOf(calls) {
  const counts = new Map()
  return calls.map(({ call, path }) => {
    const key = `${call} ${path}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
    return { call, path, number: counts.get(key) }
  })
}
