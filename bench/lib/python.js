import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../.venv', import.meta.url))
const python = `${folder}/bin/python`

/** Where pip put the rivals' shared libraries. */
export const rivalLibraries = `${folder}/lib`

/** The Python that has the rivals of bench/requirements.txt, or undefined, with one line that says how to make it. */
export function rivalsPython() {
  if (existsSync(python)) return python
  console.error(
    'No rivals from PyPI: python3 -m venv bench/.venv && bench/.venv/bin/pip install -r bench/requirements.txt',
  )
}

/** Environment of a rival that may use so many threads: what the machine itself sets for OpenBLAS is not set. */
export function rivalEnvironment(threads) {
  const count = String(threads)
  return {
    OPENBLAS_CORETYPE: undefined,
    OPENBLAS_L2_SIZE: undefined,
    OMP_NUM_THREADS: count,
    MKL_NUM_THREADS: count,
    OPENBLAS_NUM_THREADS: count,
    PYTHONWARNINGS: 'ignore',
  }
}
