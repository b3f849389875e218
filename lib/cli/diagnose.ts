import { styleText } from 'node:util'
import { printable } from '../printable.js'
import { diagnose, type Finding } from '../watch/diagnosis/diagnose.js'
import { openRun } from '../watch/recording/index.js'
import { checkRun } from './folder.js'

const colours = { severe: 'red', warning: 'yellow', info: 'cyan' } as const

/** Prints what there is to say about a run; whether something is severe. */
export async function diagnoseRun(
  directory: string,
  { json = false }: { json?: boolean | undefined },
): Promise<boolean> {
  await checkRun(directory)
  const findings = diagnose((await openRun(directory)).recording())
  if (json) console.log(printable(JSON.stringify(findings, null, 2)))
  else if (findings.length === 0) console.log('Nothing to report.')
  else console.log(findings.map(describe).join('\n\n'))
  return findings.some(({ severity }) => severity === 'severe')
}

function describe({ severity, message, advice, since }: Finding): string {
  const label = severity.padEnd(8)
  const isPlain = !process.stdout.isTTY || process.env.NO_COLOR
  const when = since.epoch === undefined ? `step ${since.step}` : `step ${since.step}, epoch ${since.epoch}`
  const [first, ...rest] = [message, `since ${when}`, ...(advice ? [`try: ${advice}`] : [])].map(printable)
  const head = (isPlain ? label : styleText(colours[severity], label)) + first
  return [head, ...rest.map((line) => ' '.repeat(label.length) + line)].join('\n')
}
