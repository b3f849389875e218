/** Small files of a study, read on this thread: of ten thousand trials, going round by promises takes longer than reading. */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { badFile, fileError, isMissing } from '../files.js'

// Windows has neither, nor needs them.
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** The work on an open file; null where there is none. A link, which may lead anywhere, is refused. */
function withFile<Result>(path: string, work: (file: number, size: number) => Result): Result | null {
  let file: number | null = null
  try {
    file = openSync(path, flags)
    const status = fstatSync(file)
    if (!status.isFile()) throw badFile(path, 'it is not a regular file')
    return work(file, status.size)
  } catch (error) {
    if (isMissing(error)) return null
    throw (error as NodeJS.ErrnoException).code === 'ELOOP'
      ? badFile(path, 'it is a link, and none is followed here', error)
      : fileError(path, error)
  } finally {
    if (file !== null) closeSync(file)
  }
}

/** Its text; null where there is none. @throws `GRADUS_BAD_FILE` */
export const readSmall = (path: string, most: number): string | null =>
  withFile(path, (file, size) => {
    if (size > most) throw badFile(path, `it has ${size} bytes, and at most ${most} are read`)
    return readFileSync(file, 'utf8')
  })

/** Its bytes from there on, so many at most; null where there is no such file. */
export const readFrom = (path: string, from: number, most: number): Buffer | null =>
  withFile(path, (file, size) => {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(size - from, most)))
    let done = 0
    for (let count = -1; done < bytes.length && count !== 0; done += count) {
      count = readSync(file, bytes, done, bytes.length - done, from + done)
    }
    return bytes.subarray(0, done)
  })
