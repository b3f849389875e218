/** Studies in programs; what they need is loaded when they are called. */
import { fileURLToPath } from 'node:url'
import type { StudyDefinition } from '../definition/define-study.js'
import type { ParameterRecord } from '../space/parameter.js'
import type { CreateStudyOptions, Study } from './study.js'

/**
 * A study in a folder: made, or gone on with where it is there.
 *
 * @param study - made by `defineStudy`; or the path or URL of a file that exports one by default: its workers are processes
 * @throws `GRADUS_INVALID_ARGUMENT` where the folder holds something else; `GRADUS_BAD_FILE`
 * @example
 * const study = await createStudy(defineStudy({ … }), { dir: 'studies/mnist' })
 * await study.optimize({ workers: 2 })
 * console.log(await study.best())
 */
export async function createStudy<Parameters extends ParameterRecord>(
  study: StudyDefinition<Parameters> | string | URL,
  options: CreateStudyOptions,
): Promise<Study> {
  const [{ checkCreateOptions, Study }, { Search }, { isStudyDefinition }, { invalidArgument }] = await Promise.all([
    import('./study.js'),
    import('../worker/search.js'),
    import('../definition/define-study.js'),
    import('../../errors.js'),
  ])
  const { dir, allowChanged, extend } = checkCreateOptions(options)
  const file = study instanceof URL ? fileURLToPath(study) : typeof study === 'string' ? study : null
  if (file === null && !isStudyDefinition(study)) {
    throw invalidArgument('study', 'a study made by defineStudy, or the path of its file', study)
  }
  const loaded = file === null ? null : await (await import('../load-study.js')).loadStudy(file)
  const definition = loaded?.definition ?? (study as unknown as StudyDefinition)
  const opened = await Search.open(dir, definition, { module: loaded?.module, allowChanged, extend })
  return new Study({ reader: opened.reader, definition, file, allowChanged: allowChanged || extend })
}

/**
 * Looks at a study: its trials, the best, their models. {@link createStudy} goes on with it.
 *
 * @throws `GRADUS_INVALID_ARGUMENT` for what is no path; `GRADUS_BAD_FILE` where there is none, or it cannot be read
 */
export async function openStudy(dir: string): Promise<Study> {
  const [{ Study }, { StudyReader }, { checkPath }] = await Promise.all([
    import('./study.js'),
    import('../../study/index.js'),
    import('../../checks.js'),
  ])
  return new Study({
    reader: await StudyReader.open(checkPath('dir', dir)),
    definition: null,
    file: null,
    allowChanged: false,
  })
}
