/**
 * Numbered claims: `1.json`, `2.json`, … in a folder, each made whole beside and put in place by `link()`. Who finds a
 * number taken has lost; the highest is the state. No locks, which die with their owners, and no clocks.
 */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { badFile, isMissing, makeFolder, placeFile, readText, withFileErrors } from './files.js'

/** A claim as it lies in the folder. */
export interface Numbered {
  readonly number: number
  /** What was put there; from a file, so of any type. */
  readonly record: unknown
}

/** No claim is longer. */
const mostBytes = 1 << 20

const fileOf = (folder: string, number: number): string => join(folder, `${number}.json`)

/**
 * The newest claim; null when there is none.
 * @throws `GRADUS_BAD_FILE` when it cannot be read or is damaged
 */
export async function newestClaim(folder: string): Promise<Numbered | null> {
  const names = await withFileErrors(folder, () => readdir(folder)).catch((error) => {
    if (isMissing(error)) return []
    throw error
  })
  const numbers = names.map((name) => Number(/^([1-9]\d*)\.json$/.exec(name)?.[1])).filter(Number.isSafeInteger)
  const number = numbers.reduce((a, b) => Math.max(a, b), 0)
  return number === 0 ? null : { number, record: await readClaim(folder, number) }
}

/** What stands in a claim. @throws as {@link newestClaim} */
export async function readClaim(folder: string, number: number): Promise<unknown> {
  const path = fileOf(folder, number)
  const text = await readText(path, { most: mostBytes, follow: false })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badFile(path, 'the claim is damaged', error)
  }
}

/** Puts `record` in place as `number`, which is the newest one's and 1; false when the number is taken. */
export async function putClaim(folder: string, number: number, record: object): Promise<boolean> {
  await makeFolder(folder)
  return await placeFile(fileOf(folder, number), (file) => file.writeFile(`${JSON.stringify(record)}\n`))
}

/** Whether there is a number after this one. */
export async function isOvertaken(folder: string, number: number): Promise<boolean> {
  const next = fileOf(folder, number + 1)
  return await withFileErrors(next, () => lstat(next)).then(
    () => true,
    (error) => {
      if (isMissing(error)) return false
      throw error
    },
  )
}
