// Commands named sbatch, squeue and scancel that do as a test says, and keep what they were called with.
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Says what lies in the file of its name when its words are kept, of squeue by --name in another one; an error where one lies there. */
const script = (name) => `#!/bin/sh
cd "$(dirname "$0")" || exit
case " $* " in *' --name='*) name=left;; *) name=${name};; esac
answer=$(cat "$name.answer")
error=$(cat ${name}.error 2>/dev/null)
{ printf '%s\\n' "$@" "job=$SLURM_JOB_ID" "conf=$SLURM_CONF"; echo; } >> ${name}.calls
if [ -n "$error" ]; then echo "$error" >&2; exit 1; fi
if [ -n "$answer" ]; then echo "$answer"; fi
`

const columns = ['ArrayJobID', 'ArrayTaskID', 'State', 'exit_code', 'BatchHost', 'Reason']
const width = 60

/** As squeue writes it. */
function line([task, state, status = 0, node = '', reason = 'None']) {
  return [...task.split('_'), state, String(status), node, reason].map((cell) => cell.padEnd(width)).join('')
}

/**
 * A folder with the three commands, for `PATH`. `answer({ … })` changes what they answer: `job` is the number of the next array,
 * `tasks` what squeue tells of jobs, `[task, state, status, node, reason]` each, `left` what it tells of a name; `sbatch` and
 * `squeue` the text of an error.
 */
export function fakeSlurm(folder) {
  mkdirSync(folder, { recursive: true })
  const write = (file, text) => {
    writeFileSync(join(folder, `${file}.new`), text)
    renameSync(join(folder, `${file}.new`), join(folder, file))
  }
  for (const name of ['sbatch', 'squeue', 'scancel']) {
    write(name, script(name))
    chmodSync(join(folder, name), 0o755)
  }
  const lines = (tasks) => tasks.map((task) => `${line(task)}\n`).join('')
  const answer = ({ job, tasks, left, ...errors }) => {
    if (job !== undefined) write('sbatch.answer', `${job}\n`)
    if (tasks !== undefined) write('squeue.answer', lines(tasks))
    if (left !== undefined) write('left.answer', lines(left))
    for (const [name, text] of Object.entries(errors)) write(`${name}.error`, text ?? '')
  }
  answer({ job: 7, tasks: [], left: [] })
  write('scancel.answer', '')
  /** The words of each call, with what it knew of a job that it was in; those that are under way left out. */
  const calls = (name) => {
    const file = join(folder, `${name}.calls`)
    const all = existsSync(file) ? readFileSync(file, 'utf8').split('\n\n').slice(0, -1) : []
    return all.map((call) => {
      const words = call.split('\n')
      const [job, conf] = words.splice(-2)
      return { words, job, conf }
    })
  }
  const format = `--Format=${columns.map((name) => `${name}:${width}`).join(',')}`
  return { path: `${folder}${delimiter}${process.env.PATH}`, format, answer, calls }
}
