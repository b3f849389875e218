/** Small files of a study, written on this thread. */
import { linkSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { codeOf, fileError, hasNoLinks, warnOfNoLinks } from '../files.js'
import { temporaryPath } from '../temporary.js'

/**
 * As `placeFile`, of a short text that need not survive a loss of power, on this thread: where all cores are busy each way
 * to other threads and back may take longer than all of the calls, and somebody waits for this one.
 */
export function placeText(path: string, text: string): boolean {
  try {
    const temporary = besideOf(path)
    try {
      writeFileSync(temporary, text)
      linkSync(temporary, path)
    } catch (error) {
      if (!hasNoLinks(error)) throw error
      warnOfNoLinks(path)
      writeFileSync(path, text, { flag: 'wx' })
    } finally {
      unlinkSync(temporary)
    }
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw fileError(path, error, 'written')
  }
}

/** A new file, empty, in the folder of another one. */
function besideOf(path: string): string {
  for (;;) {
    const temporary = temporaryPath(dirname(path))
    try {
      writeFileSync(temporary, '', { flag: 'wx' })
      return temporary
    } catch (error) {
      // Another thread of this process counts too.
      if (codeOf(error) !== 'EEXIST') throw error
    }
  }
}
