/** The files of the page: a fixed list, read once, so that no path ever comes from a request. */
import { readdir, readFile } from 'node:fs/promises'
import { GradusError } from '../../errors.js'

export interface PageFile {
  type: string
  text: string
}

const built = new URL('../page/', import.meta.url)
/** What findings point to: made of docs/diagnosis when the page is built. */
const explanations = new URL('diagnosis/', built)
export const pageFiles = {
  document: 'index.html',
  style: 'page.css',
  script: 'page.js',
} as const

export async function readPageFile(name: string): Promise<string> {
  try {
    return await readFile(new URL(name, built), 'utf8')
  } catch (error) {
    throw new GradusError('GRADUS_BAD_FILE', `The page is not built: ${name} is missing`, { cause: error })
  }
}

/** By address. */
export async function readPage(): Promise<ReadonlyMap<string, PageFile>> {
  const { document, style, script } = pageFiles
  return new Map([
    ['/', { type: 'text/html', text: await readPageFile(document) }],
    [`/${style}`, { type: 'text/css', text: await readPageFile(style) }],
    [`/${script}`, { type: 'text/javascript', text: await readPageFile(script) }],
    ...(await readExplanations()),
  ])
}

/** By address: `/docs/diagnosis/plateau.html`. */
export async function readExplanations(): Promise<ReadonlyMap<string, PageFile>> {
  const names = await readdir(explanations).catch(() => [])
  const read = async (name: string): Promise<[string, PageFile]> => [
    `/docs/diagnosis/${name}`,
    { type: 'text/html', text: await readFile(new URL(name, explanations), 'utf8') },
  ]
  return new Map(await Promise.all(names.filter((name) => name.endsWith('.html')).map(read)))
}
