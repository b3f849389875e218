/** How this process was started, so that it can be started again. */
import { isAbsolute } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import type { CommandInfo } from '../recording/recording.js'

/** Where the process began, as near as can be told: a program may go to another folder before its first run. */
const folder = currentFolder()

/** A program given as text: its flag has it, and a script is not among the arguments. */
const given = /^(-e|--eval|-p|--print|-pe|-i|--interactive)(=|$)/

/** Null where there is no script that could be run again: `node -e`, the REPL, what comes through a pipe, and worker threads. */
export function ownCommand(): CommandInfo | null {
  const [, script, ...words] = process.argv
  if (!isMainThread || folder === null || script === undefined || !isAbsolute(script)) return null
  if (process.execArgv.some((flag) => given.test(flag))) return null
  return { script, arguments: words, nodeArguments: [...process.execArgv], folder }
}

function currentFolder(): string | null {
  try {
    return process.cwd()
  } catch {
    return null
  }
}
