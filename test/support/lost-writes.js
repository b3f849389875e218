// A small file system that loses power: what was not synced may be on the disk or not, each call by itself and in any order; of
// a file its data from its fsync on, of a folder its names from its own fsync on. A write may be there in part.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * What strace wrote with `-y -xx` about files below `root`, as operations; with `-f` too. An operation on a name says in which
 * folder it is, as folders are renamed with what is in them.
 */
export function operationsOf(log, root) {
  const operations = []
  const files = new Map() // open files by number: { inode, at }
  const names = new Map([[root, rootInode]]) // what a path means now
  const folders = new Set([rootInode])
  const sizes = new Map() // of each inode
  let inodes = rootInode
  const add = (operation) => operations.push(operation)
  const placed = (path) => ({ path, folder: names.get(dirname(path)), name: basename(path) })
  const write = (inode, at, bytes) => {
    sizes.set(inode, Math.max(sizes.get(inode) ?? 0, at + bytes.length))
    add({ type: 'data', inode, at, bytes })
  }
  const below = (path) => path === root || path.startsWith(`${root}/`)
  const renamed = (from, to) => {
    for (const [path, inode] of [...names]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue
      names.delete(path)
      names.set(to + path.slice(from.length), inode)
    }
  }
  for (const [, call, given, result] of wholeCalls(readFileSync(log, 'utf8'))) {
    if (Number(result) < 0) continue
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
        add({ type: 'name', ...placed(path), inode: inodes })
      }
      const inode = names.get(path)
      files.set(Number(result), { path, inode, at: given.includes('O_APPEND') ? (sizes.get(inode) ?? 0) : 0 })
      if (given.includes('O_TRUNC')) add({ type: 'truncate', inode, size: 0 })
    } else if (call === 'close') files.delete(number)
    else if (call === 'mkdir' && below(paths[0])) {
      names.set(paths[0], ++inodes)
      folders.add(inodes)
      add({ type: 'folder', ...placed(paths[0]), inode: inodes })
    } else if (call === 'rename' || call === 'link') {
      const [from, to] = paths
      if (!below(to)) continue
      const inode = names.get(from)
      const before = call === 'rename' ? placed(from) : undefined
      add({ type: 'name', ...placed(to), inode, from: before, isFolder: folders.has(inode) })
      if (call === 'rename') renamed(from, to)
      else names.set(to, inode)
    } else if (call === 'unlink' && below(paths[0])) {
      add({ type: 'gone', ...placed(paths[0]) })
      names.delete(paths[0])
    } else if (!file) continue
    else if (call === 'pwrite64') write(file.inode, Number(/, (\d+)$/.exec(given)[1]), strings[0])
    else if (call === 'write') {
      write(file.inode, file.at, strings[0])
      file.at += strings[0].length
    } else if (call === 'ftruncate')
      add({ type: 'truncate', inode: file.inode, size: Number(/, (\d+)$/.exec(given)[1]) })
    else if (call === 'fsync' || call === 'fdatasync')
      add({ type: folders.has(file.inode) ? 'syncFolder' : 'sync', path: file.path, inode: file.inode })
  }
  return operations
}

const rootInode = 0

/** Calls as [text, name, what was given, result]: those of several threads are told of in two parts where they overlap. */
function* wholeCalls(text) {
  const begun = new Map()
  for (const line of text.split('\n')) {
    const [, thread, rest] = /^(?:(\d+) +)?(.*)$/.exec(line)
    const [, first] = /^(.*) <unfinished \.\.\.>$/.exec(rest) ?? []
    if (first !== undefined) begun.set(thread, first)
    const [, second] = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest) ?? []
    const whole = second === undefined ? rest : `${begun.get(thread)}${second}`
    const call = first === undefined && /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(whole)
    if (call) yield call
  }
}

/** The operations that are on the disk after power was lost behind the first `count`. `random` gives numbers from 0 to 1. */
export function surviving(operations, count, random) {
  const syncs = { data: 'sync', truncate: 'sync', name: 'syncFolder', gone: 'syncFolder', folder: 'syncFolder' }
  const done = operations.slice(0, count)
  const isSynced = (operation, i) => {
    const [by, needed] = [syncs[operation.type], operation.folder ?? operation.inode]
    return done.some(({ type, inode }, later) => later > i && type === by && inode === needed)
  }
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
export function makeFiles(operations, place) {
  const contents = new Map()
  const folders = new Map([[rootInode, new Map()]])
  const namesIn = (folder) => {
    if (!folders.has(folder)) folders.set(folder, new Map())
    return folders.get(folder)
  }
  for (const { type, folder, name, inode, at, bytes, size, from, isFolder } of operations) {
    const before = contents.get(inode) ?? Buffer.alloc(0)
    if (type === 'data') {
      const after = Buffer.alloc(Math.max(before.length, at + bytes.length))
      before.copy(after)
      bytes.copy(after, at)
      contents.set(inode, after)
    } else if (type === 'truncate') contents.set(inode, Buffer.concat([before, Buffer.alloc(size)]).subarray(0, size))
    else if (type === 'gone') namesIn(folder).delete(name)
    else if (type === 'folder' || type === 'name') {
      if (type === 'folder' || isFolder) namesIn(inode)
      namesIn(folder).set(name, inode)
      if (from && namesIn(from.folder).get(from.name) === inode) namesIn(from.folder).delete(from.name)
    }
  }
  const make = (inode, path) => {
    mkdirSync(path)
    for (const [name, one] of folders.get(inode)) {
      const own = join(path, name)
      if (folders.has(one)) make(one, own)
      else writeFileSync(own, contents.get(one) ?? '')
    }
  }
  make(rootInode, place)
}
