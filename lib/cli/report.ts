import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { GradusError } from '../errors.js'
import { printable } from '../printable.js'
import { makeReport } from '../watch/report/report.js'
import { checkFolder, checkNoStudy } from './folder.js'

export interface ReportOptions {
  /** Default: the run's name with `.html`, in the current folder. */
  output?: string | undefined
  /** Writes over a file that is there. */
  force?: boolean | undefined
}

export async function report(directory: string, { output, force = false }: ReportOptions): Promise<void> {
  await checkFolder(directory)
  await checkNoStudy(directory)
  const file = output ?? `${basename(resolve(directory))}.html`
  const { html, runs, unreadable } = await makeReport(directory)
  await write(file, html, force)
  for (const { name, reason } of unreadable) console.error(printable(`gradus: left out ${name}: ${reason}`))
  const count = runs === 1 ? '' : `${runs} runs, `
  console.log(printable(`${file} (${count}${(html.length / 2 ** 20).toFixed(1)} MiB)`))
}

/** A new file, never one that is there or that a link leads to; by force, in its or the link's place. */
async function write(file: string, text: string, force: boolean): Promise<void> {
  const beside = `${file}.${randomUUID()}.tmp`
  try {
    await writeFile(force ? beside : file, text, { flag: 'wx' })
    if (force) await rename(beside, file)
  } catch (cause) {
    if (force) await rm(beside, { force: true })
    const { code, message } = cause as NodeJS.ErrnoException
    const reason = code === 'EEXIST' ? 'it is there already; name another one with -o, or give --force' : message
    throw new GradusError('GRADUS_BAD_FILE', `Cannot write ${file}: ${reason}`, { cause })
  }
}
