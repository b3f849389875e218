import { execFileSync } from 'node:child_process'

/** The first Python that can import torch, or undefined: then PyTorch takes no part. */
export const pythonWithTorch = () =>
  ['python3', '/usr/bin/python3'].find((python) => {
    try {
      execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
