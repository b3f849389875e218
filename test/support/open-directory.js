// A run directory as the monitor of a run opens it; closing it records the end in its claims too.
import { openRunFolder } from '../../dist/train/run-folder.js'
import { openPlace } from '../../dist/watch/monitor/place.js'
import { RunDirectory } from '../../dist/watch/monitor/run-directory.js'

export async function openDirectory(dir, info, { step, goesOn }) {
  const folder = await openRunFolder({ dir }, goesOn)
  const open = async () => RunDirectory.open(await openPlace(folder, info, goesOn), { step, sizes: null })
  const directory = await open().catch(async (error) => {
    await folder.close('error')
    throw error
  })
  const close = directory.close.bind(directory)
  directory.close = async () => {
    await close()
    await folder.close('epochs')
  }
  return directory
}
