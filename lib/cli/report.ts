import { writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { GradusError } from '../errors.js'
import { makeReport } from '../watch/report/report.js'
import { checkFolder } from './folder.js'

export async function report(directory: string, { output }: { output?: string }): Promise<void> {
  await checkFolder(directory)
  const file = output ?? `${basename(resolve(directory))}.html`
  const text = await makeReport(directory)
  await writeFile(file, text).catch((cause: Error) => {
    throw new GradusError('GRADUS_BAD_FILE', `Cannot write ${file}: ${cause.message}`, { cause })
  })
  console.log(`${file} (${(text.length / 2 ** 20).toFixed(1)} MiB)`)
}
