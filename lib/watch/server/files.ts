/** The files of the page: a fixed list, read once, so that no path ever comes from a request. */
import { readdir, readFile } from 'node:fs/promises'
import { GradusError } from '../../errors.js'

export interface PageFile {
  type: string
  text: string
}

const built = new URL('../page/', import.meta.url)
/** What findings point to. */
const explanations = new URL('../../../docs/diagnosis/', import.meta.url)
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

/** As they are: a browser shows them as text. */
async function readExplanations(): Promise<[string, PageFile][]> {
  const names = await readdir(explanations).catch(() => [])
  const read = async (name: string): Promise<[string, PageFile]> => [
    `/docs/diagnosis/${name}`,
    { type: 'text/plain', text: await readFile(new URL(name, explanations), 'utf8') },
  ]
  return await Promise.all(names.filter((name) => name.endsWith('.md')).map(read))
}
