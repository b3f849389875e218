import { spawn } from 'node:child_process'
import { type Stats, statSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { CheckpointFolder, folderName } from '../checkpoint/folder.js'
import { newestClaim } from '../claim.js'
import { GradusError } from '../errors.js'
import { badFile } from '../files.js'
import { printable } from '../printable.js'
import { runFiles } from '../train/run-folder.js'
import { resumeVariable } from '../train/told-to-go-on.js'
import { files } from '../watch/recording/files.js'
import { type CommandInfo, readInfo } from '../watch/recording/index.js'
import { checkRun } from './folder.js'

/** Starts the program that has begun a run once more, for that run to go on; ends as it does. */
export async function resumeRun(
  directory: string,
  { dryRun = false }: { dryRun?: boolean | undefined },
): Promise<void> {
  await checkRun(directory)
  const run = await realpath(directory)
  const command = commandOf(directory, run)
  const found = await new CheckpointFolder(join(run, folderName)).list()
  if (!found.some(({ head }) => head)) {
    const remedy = 'your program begins it anew with resume: true in fit'
    throw badFile(
      directory,
      `there is no checkpoint to go on from: the run made none, or ended before the first; ${remedy}`,
    )
  }
  const words = [...command.nodeArguments, command.script, ...command.arguments]
  const shown = `cd ${quoted(command.folder)} && ${resumeVariable}=${quoted(run)} node ${words.map(quoted).join(' ')}`
  if (dryRun) console.log(printable(shown))
  else {
    console.error(printable(shown))
    const before = await lastClaim(run)
    const ended = await runToEnd(words, { cwd: command.folder, env: { ...process.env, [resumeVariable]: run } })
    // One that failed has said why.
    if (ended.code === 0 && (await lastClaim(run)) === before) {
      const message = `gradus: no fit of the program went on with ${directory}: none has its dir, or its dir and name`
      console.error(printable(message))
    }
    end(ended)
  }
}

/** @throws unless it can be trusted, and run */
function commandOf(directory: string, real: string): CommandInfo {
  const { command } = readInfo(real, (status) => checkOwner(join(directory, files.info), status))
  if (!command) {
    const problem =
      'no command is recorded that could go on with the run: node -e, the REPL and worker threads leave none'
    throw badFile(join(directory, files.info), `${problem}; run your program with resume: true in fit`)
  }
  const { script, folder } = command
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw gone(`the folder ${folder}, in which it began`)
  try {
    // As node finds it: the extension may be left out, and a folder be meant.
    createRequire(script).resolve(script)
  } catch {
    throw gone(`the script ${script}, which has begun it`)
  }
  return command
}

const gone = (what: string): GradusError => new GradusError('GRADUS_BAD_FILE', `The run cannot go on: ${what}, is gone`)

/** Whoever can write the file says what runs here. Windows has no such owners. */
function checkOwner(path: string, { uid, mode }: Stats): void {
  const user = process.getuid?.()
  if (user === undefined) return
  const refused = (problem: string) =>
    badFile(path, `${problem}, so the command in it is not run; run your program with resume: true in fit`)
  if (uid !== user) throw refused('it belongs to another user')
  if ((mode & 0o022) !== 0) throw refused('others may write to it')
}

/** Whoever goes on with a run leaves another one. */
const lastClaim = (run: string): Promise<number> =>
  newestClaim(join(run, runFiles.claims)).then(
    (claim) => claim?.number ?? 0,
    () => 0,
  )

/** For people to read, and for a POSIX shell to understand; none is asked here. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Passes signals on to what it runs. That is in a group of its own: of a signal to
 * this group, as a terminal and `timeout` send them, it would hear twice, and a second one ends it at once.
 */
async function runToEnd(words: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<Ended> {
  const detached = process.platform !== 'win32'
  const child = spawn(process.execPath, words, { ...options, stdio: 'inherit', detached })
  const pass = (signal: NodeJS.Signals) => void child.kill(signal)
  for (const signal of signals) process.on(signal, pass)
  return await new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve({ code, signal }))
  }).finally(() => {
    for (const signal of signals) process.off(signal, pass)
  })
}

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** By the exit code or the signal of what was run. */
function end({ code, signal }: Ended): void {
  process.exitCode = code ?? 1
  if (signal) process.kill(process.pid, signal)
}
