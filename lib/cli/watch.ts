import { spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { startServer, type WatchOptions } from '../watch/server/index.js'
import { checkFolder } from './folder.js'

interface Options extends WatchOptions {
  open?: 'yes' | 'no'
}

/** Serves until it is told to end by SIGINT or SIGTERM. */
export async function watch(directory: string, { open, ...options }: Options): Promise<void> {
  await checkFolder(directory)
  giveWay()
  const server = await startServer(directory, options)
  console.log(server.url)
  if (open === 'yes' || (open === undefined && hasBrowser())) openBrowser(server.url)
  await new Promise((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  await server.close()
}

/** Training on the same machine comes first, whatever the page is asked for. */
function giveWay(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // Some systems do not let a process do so; it then takes its share.
  }
}

/** Not over SSH, in pipes or on servers without a screen. */
function hasBrowser(): boolean {
  const { SSH_CONNECTION, DISPLAY, WAYLAND_DISPLAY } = process.env
  const hasScreen = process.platform !== 'linux' || Boolean(DISPLAY || WAYLAND_DISPLAY)
  return process.stdout.isTTY === true && SSH_CONNECTION === undefined && hasScreen
}

const openers: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['explorer'],
}

/** The address stands in the terminal as well, so that a browser which does not start is no error. */
function openBrowser(url: string): void {
  const [command, ...words] = openers[process.platform] ?? ['xdg-open']
  const opener = spawn(command, [...words, url], { stdio: 'ignore', detached: true })
  opener.on('error', () => {})
  opener.unref()
}
