// A small file system that loses power: what was not synced may be on the disk or not, each call by itself and in any order; of
// a file its data from its fsync on, of a folder its names from its own fsync on. A write may be there in part.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** What strace wrote with `-y -xx` about files below `root`, as operations. */
export function operationsOf(log, root) {
  const operations = []
  const files = new Map() // open files by number: { inode, at }
  const names = new Map() // what a path means now
  const sizes = new Map() // of each inode
  let inodes = 0
  const add = (operation) => operations.push(operation)
  const write = (inode, at, bytes) => {
    sizes.set(inode, Math.max(sizes.get(inode) ?? 0, at + bytes.length))
    add({ type: 'data', inode, at, bytes })
  }
  const below = (path) => path === root || path.startsWith(`${root}/`)
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, call, given, result] = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(line) ?? []
    if (call === undefined || Number(result) < 0) continue
    const strings = [...given.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, text]) =>
      Buffer.from(text.replaceAll('\\x', ''), 'hex'),
    )
    const paths = strings.map(String)
    const number = Number(/^\d+/.exec(given)?.[0])
    const file = files.get(number)
    if (call === 'openat') {
      files.delete(Number(result))
      const [path] = paths
      if (!below(path)) continue
      if (!names.has(path) && given.includes('O_CREAT')) {
        names.set(path, ++inodes)
        add({ type: 'name', path, inode: inodes })
      }
      const inode = names.get(path)
      files.set(Number(result), { path, inode, at: given.includes('O_APPEND') ? (sizes.get(inode) ?? 0) : 0 })
      if (given.includes('O_TRUNC')) add({ type: 'truncate', inode, size: 0 })
    } else if (call === 'close') files.delete(number)
    else if (call === 'mkdir' && below(paths[0])) {
      names.set(paths[0], 'folder')
      add({ type: 'folder', path: paths[0] })
    } else if (call === 'rename' || call === 'link') {
      const [from, to] = paths
      if (!below(to)) continue
      const inode = names.get(from)
      names.set(to, inode)
      if (call === 'rename') names.delete(from)
      add({ type: 'name', path: to, inode, from: call === 'rename' ? from : undefined })
    } else if (call === 'unlink' && below(paths[0])) {
      names.delete(paths[0])
      add({ type: 'gone', path: paths[0] })
    } else if (!file) continue
    else if (call === 'pwrite64') write(file.inode, Number(/, (\d+)$/.exec(given)[1]), strings[0])
    else if (call === 'write') {
      write(file.inode, file.at, strings[0])
      file.at += strings[0].length
    } else if (call === 'ftruncate')
      add({ type: 'truncate', inode: file.inode, size: Number(/, (\d+)$/.exec(given)[1]) })
    else if (call === 'fsync' || call === 'fdatasync') {
      const isFolder = file.inode === undefined || file.inode === 'folder'
      add(isFolder ? { type: 'syncFolder', path: file.path } : { type: 'sync', inode: file.inode })
    }
  }
  return operations
}

/** The operations that are on the disk after power was lost behind the first `count`. `random` gives numbers from 0 to 1. */
export function surviving(operations, count, random) {
  const syncs = { data: 'sync', truncate: 'sync', name: 'syncFolder', gone: 'syncFolder', folder: 'syncFolder' }
  const done = operations.slice(0, count)
  const isSynced = (operation, i) =>
    done.some(
      ({ type, inode, path }, later) =>
        later > i &&
        type === syncs[operation.type] &&
        (type === 'sync' ? inode === operation.inode : path === dirname(operation.path)),
    )
  // Now nearly all of it is lost, now nearly nothing.
  const share = random()
  return done.flatMap((operation, i) => {
    if (!(operation.type in syncs)) return []
    if (isSynced(operation, i)) return operation
    if (random() >= share) return []
    const isTorn = operation.type === 'data' && random() < 0.3
    return isTorn ? { ...operation, bytes: operation.bytes.subarray(0, random() * operation.bytes.length) } : operation
  })
}

/** What these operations make, as files of a folder. */
export function makeFiles(operations, root, folder) {
  const contents = new Map()
  const names = new Map()
  for (const { type, path, inode, at, bytes, size, from } of operations) {
    const before = contents.get(inode) ?? Buffer.alloc(0)
    if (type === 'data') {
      const after = Buffer.alloc(Math.max(before.length, at + bytes.length))
      before.copy(after)
      bytes.copy(after, at)
      contents.set(inode, after)
    } else if (type === 'truncate') contents.set(inode, Buffer.concat([before, Buffer.alloc(size)]).subarray(0, size))
    else if (type === 'folder') names.set(path, 'folder')
    else if (type === 'gone') names.delete(path)
    else if (type === 'name') {
      names.set(path, inode)
      if (from !== undefined && names.get(from) === inode) names.delete(from)
    }
  }
  mkdirSync(folder)
  const isThere = (path) => path === root || (names.get(path) === 'folder' && isThere(dirname(path)))
  for (const [path, inode] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!isThere(dirname(path))) continue
    const place = join(folder, relative(root, path))
    if (inode === 'folder') mkdirSync(place)
    else writeFileSync(place, contents.get(inode) ?? '')
  }
}
