import { spawn } from 'node:child_process'

/** Runs a command to its end and returns what it printed; its errors go to ours. Rejects when it fails. */
export const runProcess = (command, args = [], env = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${command} ${args.join(' ')} ended with code ${code}`))
    })
  })
