// Runs a file of this folder in a process of its own.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Never throws: { code, signal, stdout, stderr }. */
export async function ended(name, role, ...nodeOptions) {
  const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url))
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [...nodeOptions, file, role])
    return { code: 0, signal: null, stdout, stderr: '' }
  } catch (error) {
    return error
  }
}
