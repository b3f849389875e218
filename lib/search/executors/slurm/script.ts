/** The batch script of a study's workers, and what sbatch is told with it. */
import { createHash } from 'node:crypto'
import { mkdir, realpath, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { invalidArgument } from '../../../errors.js'
import { withFileErrors } from '../../../files.js'
import { studyFiles } from '../../../study/layout.js'

export interface ScriptOptions {
  /** The study's file and folder. */
  readonly file: string
  readonly dir: string
  readonly allowChanged: boolean
  /** Further ones of sbatch. */
  readonly arguments: readonly string[]
}

/** What an array is submitted with. */
export interface Batch {
  readonly jobName: string
  /** Of sbatch, but for `--array`; the script is the last one. */
  readonly arguments: readonly string[]
}

const command = fileURLToPath(new URL('../../../cli/main.js', import.meta.url))

/** Where a study's script and the outputs of its tasks lie. */
const folderOf = (dir: string): string => join(resolve(dir), 'slurm')

export const outputOf = (dir: string, task: string): string => join(folderOf(dir), `${task}.out`)

/** Writes the script into the study's folder. @throws `GRADUS_BAD_FILE` */
export async function writeBatch(options: ScriptOptions): Promise<Batch> {
  const { dir } = options
  const folder = folderOf(dir)
  const path = join(folder, 'worker.sh')
  return await withFileErrors(path, async () => {
    await mkdir(folder, { recursive: true })
    await writeFile(path, scriptOf(options))
    const jobName = jobNameOf(await realpath(dir))
    const own = [
      ...[`--job-name=${jobName}`, '--requeue', '--open-mode=append', '--signal=B:TERM@120'],
      // Slurm puts numbers in the place of %A and %a, and writes %% as one.
      `--output=${join(folder.replaceAll('%', '%%'), '%A_%a.out')}`,
    ]
    return { jobName, arguments: [...own, ...options.arguments, path] }
  })
}

/** Of this study alone: by it a later master finds what an earlier one has left. */
function jobNameOf(dir: string): string {
  const hash = createHash('sha256').update(dir).digest('hex').slice(0, 8)
  return `gradus.${basename(dir).replaceAll(/[^\w.-]/g, '_')}.${hash}`
}

/**
 * Signals for the batch shell must reach the worker: it is the shell, by `exec`. Where the folder is not to be seen a worker would begin
 * a study of its own there.
 */
function scriptOf({ file, dir, allowChanged }: ScriptOptions): string {
  const study = join(resolve(dir), studyFiles.study)
  const execArgv = process.execArgv.filter((one) => !one.startsWith('--inspect'))
  const words = [process.execPath, ...execArgv, command, 'worker', resolve(file), '--dir', resolve(dir)]
  if (allowChanged) words.push('--allow-changed')
  return `#!/bin/sh
# One worker of a study, as a task of an array: written by gradus search --slurm.
if [ ! -f ${quoted(study)} ]; then
  echo "gradus: $(hostname) does not see" ${quoted(study)}": expected a folder that all nodes share" >&2
  exit 2
fi
exec ${words.map(quoted).join(' ')} --name "\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}\${SLURM_RESTART_COUNT:+.$SLURM_RESTART_COUNT}"
`
}

/** One word of a shell, whatever is in it. */
const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`

/** What Gradus itself gives, or what would have sbatch do something else. */
const taken = /^(--(array|job-name|output|error|wrap|wait|parsable|test-only)(=|$)|-[aJoeW])/

/** A word of a shell with its quotes, behind blanks. */
const word = /\s*((?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+)/gsy
const quotes = /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs

/** Splits as a shell does. @throws `GRADUS_INVALID_ARGUMENT` for what Gradus gives itself, and for quotes that do not end */
export function sbatchArguments(text: string): string[] {
  const name = '--slurm-arguments'
  const found = [...text.trimEnd().matchAll(word)]
  if (found.reduce((length, [all]) => length + all.length, 0) < text.trimEnd().length)
    throw invalidArgument(name, 'each quote closed', text)
  const words = found.map(([, one]) =>
    one!.replaceAll(
      quotes,
      (_, escaped, double, single) => escaped ?? single ?? double.replaceAll(/\\(["\\$`])/g, '$1'),
    ),
  )
  const own = words.find((one) => taken.test(one))
  if (own === undefined) return words
  throw invalidArgument(name, 'nothing that Gradus tells sbatch itself (how many tasks: --workers)', own)
}
