import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { constants, setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startServer, type WatchOptions } from '../watch/server/index.js'
import { checkFolder } from './folder.js'

interface Options extends WatchOptions {
  open?: 'yes' | 'no' | undefined
}

/** Serves until it is told to end by SIGINT or SIGTERM. */
export async function watch(directory: string, { open, ...options }: Options): Promise<void> {
  await checkFolder(directory)
  giveWay()
  const server = await startServer(directory, { ...options, ahead: true })
  // Listened to from here on: whoever has read the address may end it, and the browser's file goes in any case.
  const told = new Promise((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  console.log(server.url)
  const opened = open === 'yes' || (open === undefined && hasBrowser()) ? await openBrowser(server.url) : null
  await told
  await Promise.all([server.close(), opened && rm(opened, { recursive: true, force: true })])
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

/**
 * By way of a file that nobody else can read: arguments of a process can be seen by every user of the machine, and the
 * address has the token in it. It stands in the terminal as well, so that a browser which does not start is no error.
 * Returns the folder of the file.
 */
async function openBrowser(url: string): Promise<string | null> {
  try {
    // mkdtemp gives the folder to this user alone.
    const folder = await mkdtemp(join(process.env.XDG_RUNTIME_DIR ?? tmpdir(), 'gradus-'))
    const file = join(folder, 'open.html')
    await writeFile(file, redirection(url), { mode: 0o600, flag: 'wx' })
    const [command, ...words] = openers[process.platform] ?? ['xdg-open']
    const opener = spawn(command, [...words, pathToFileURL(file).href], { stdio: 'ignore', detached: true })
    opener.on('error', () => {})
    opener.unref()
    return folder
  } catch {
    return null
  }
}

const redirection = (url: string): string => `<!doctype html>
<meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url=${url}">
<title>Gradus</title><a href="${url}">Watch the runs</a>
`
