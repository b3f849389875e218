/** Small files of a study, written on this thread. */
import { linkSync, lstatSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { codeOf, fileError, hasNoLinks, warnOfNoLinks } from '../files.js'
import { temporaryPath } from '../temporary.js'

/**
 * As `placeFile`, of a short text that need not survive a loss of power, on this thread: where all cores are busy each way
 * to other threads and back may take longer than all of the calls, and somebody waits for this one.
 *
 * @throws `GRADUS_BAD_FILE` when it cannot be written
 */
export function placeText(path: string, text: string): boolean {
  try {
    const temporary = besideOf(path)
    try {
      writeFileSync(temporary, text)
      return isLinked(temporary, path)
    } catch (error) {
      if (!hasNoLinks(error)) throw error
      warnOfNoLinks(path)
      return isWritten(path, text)
    } finally {
      unlinkSync(temporary)
    }
  } catch (error) {
    throw fileError(path, error, 'written')
  }
}

function isLinked(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path)
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    // A server far away may have done what was asked, and told of it only when it was asked again.
    const [ours, there] = [lstatSync(temporary), lstatSync(path)]
    return ours.ino === there.ino && ours.dev === there.dev
  }
}

/** By one alone too, but not whole at once. */
function isWritten(path: string, text: string): boolean {
  try {
    writeFileSync(path, '', { flag: 'wx' })
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
  try {
    writeFileSync(path, text)
  } catch (error) {
    unlinkSync(path)
    throw error
  }
  return true
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
