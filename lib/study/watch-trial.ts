/** Tells at once of what others put into a trial's folder. */
import { type FSWatcher, watch } from 'node:fs'
import { changeNumberOf, studyFiles } from './layout.js'

/**
 * `onChange` is called when there is a request to stop, or a change that somebody else has made. Where the system does not
 * tell, as of a disk that others write to from afar, it never is: whoever must know looks now and then as well.
 *
 * @returns ends it
 */
export function watchTrial(path: string, onChange: () => void): () => void {
  let watcher: FSWatcher
  try {
    watcher = watch(path, { persistent: false })
  } catch {
    // More are watched than the system allows, or the folder is gone.
    return () => {}
  }
  watcher.on('error', () => watcher.close())
  watcher.on('change', (event, name) => {
    const isNew = event === 'rename' && typeof name === 'string'
    if (isNew && (name === studyFiles.stop || changeNumberOf(name) !== null)) onChange()
  })
  return () => watcher.close()
}
