import { devices } from '../devices.js'
import { printable } from '../printable.js'

/** Prints a line for each device; whether any GPU can be used. */
export function listDevices({ json = false }: { json?: boolean | undefined }): boolean {
  const found = devices()
  if (json) console.log(printable(JSON.stringify(found, null, 2)))
  else {
    const rows = found.map(({ device, name, memory, free, capability, driver, reason }) => [
      device,
      name,
      memoryOf(memory, free),
      capability ? `capability ${capability}` : '',
      driver ? `driver ${driver}` : '',
      reason ?? '',
    ])
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
    const lines = rows.map((row) =>
      row.map((cell, column) => cell.padEnd(widths[column]!)).filter((cell) => cell.trim() !== ''),
    )
    for (const line of lines) console.log(printable(line.join('  ').trimEnd()))
  }
  return found.some(({ device, reason }) => device !== 'cpu' && reason === undefined)
}

const memoryOf = (memory: number, free: number): string => {
  if (memory === 0) return ''
  return free > 0 ? `${gigabytes(free)} of ${gigabytes(memory)} GB free` : `${gigabytes(memory)} GB`
}
const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1)
