// Addresses of queues, and that nothing secret of them is ever shown.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesOf, queueOf } from '../dist/cli/queue-options.js'
import { queueAddress, withoutSecrets } from '../dist/search/queue/address.js'
import { listenOf } from '../dist/search/queue/place.js'

const tests = suite('queue address')

const caught = (work) => {
  try {
    work()
  } catch (error) {
    return error
  }
  return assert.unreachable('nothing was thrown')
}

tests('kinds, hosts and ports', () => {
  const parts = (text) => {
    const { kind, host, port } = queueAddress('--queue', text)
    return [kind, host, port]
  }
  assert.equal(parts('redis://10.0.0.1'), ['redis', '10.0.0.1', 6379])
  assert.equal(parts('rediss://queue.example:7000/2'), ['redis', 'queue.example', 7000])
  assert.equal(parts('postgres://me@db:6000/studies'), ['postgres', 'db', 6000])
  assert.equal(parts('postgresql://db/studies'), ['postgres', 'db', 5432])
  assert.equal(parts('redis://[::1]:7'), ['redis', '::1', 7])
})

tests('a password is shown nowhere: not as part of the address, of an error, or of what a driver says', () => {
  for (const secret of ['s3cret', 'p%40ss%2Fword', 'ä']) {
    const address = queueAddress('--queue', `redis://user:${secret}@host:6379/0?family=6&ca=/secret/ca.pem`)
    const said = withoutSecrets(address, `connect to ${address.url} failed, password ${decodeURIComponent(secret)}`)
    for (const text of [address.shown, said]) {
      assert.not(text.includes(secret), text)
      assert.not(text.includes(decodeURIComponent(secret)), text)
    }
    assert.match(address.shown, 'redis://user:***@host:6379/0')
    assert.not.match(address.shown, 'ca.pem')
  }
  for (const text of ['http://user:s3cret@host', 'user:s3cret@host', 's3cret', 'amqp://s3cret']) {
    const { code, message } = caught(() => queueAddress('--queue', text))
    assert.is(code, 'GRADUS_INVALID_ARGUMENT')
    assert.match(message, '--queue: expected redis://')
    assert.not.match(message, 's3cret')
  }
})

tests('what a command is told: the address from GRADUS_QUEUE too, and the name from the file', () => {
  assert.is(queueOf('a/mnist.ts', {}), null)
  process.env.GRADUS_QUEUE = 'redis://:s3cret@host'
  const { title } = process
  try {
    const { address, queue, token } = queueOf('a/my mnist.ts', { queue: true })
    assert.equal([address.shown, queue, token], ['redis://:***@host', 'gradus-my-mnist', null])
    assert.is(process.title, title)
    queueOf('a/mnist.ts', { queue: process.env.GRADUS_QUEUE })
    // What other users of the machine see.
    assert.match(process.title, '***')
    assert.not.match(process.title, 's3cret')
  } finally {
    process.title = title
    delete process.env.GRADUS_QUEUE
  }
  assert.is(queueOf('a/mnist.ts', { queue: 'redis://h', queueName: 'x' }).queue, 'gradus-x')
  assert.match(
    caught(() => queueOf('mnist.ts', { queue: true })).message,
    '--queue: expected an address, or one in GRADUS_QUEUE',
  )
  assert.match(caught(() => queueOf('mnist.ts', { listen: 'a:1' })).message, '--listen: expected --queue beside it')
  assert.match(caught(() => queueOf('mnist.ts', { queue: 'redis://h', queueName: 'a:b' })).message, '--queue-name')
})

tests('where files are taken, and how large they may be', () => {
  assert.equal(listenOf('--listen', '10.0.0.5:8700'), { host: '10.0.0.5', port: 8700 })
  assert.equal(listenOf('--listen', '[fd00::5]:0'), { host: 'fd00::5', port: 0 })
  for (const text of ['8700', 'host', 'host:70000', ':1'])
    assert.is(caught(() => listenOf('--listen', text)).argument, '--listen')
  assert.equal(['7', '2K', '500M', '1G'].map(bytesOf), [7, 2048, 524288000, 1073741824])
  for (const text of ['', '0', '-1', '1T', 'x']) assert.is(caught(() => bytesOf(text)).argument, '--artifact-limit')
})

tests.run()
