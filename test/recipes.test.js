// What the guide to clusters has people copy: the manifest for Kubernetes, the activity for Temporal.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { trialsOf } from './soak/search/common.js'
import { failure } from './support/reference.js'
import { writeStudy } from './support/search-studies.js'
import { studyPlace } from './support/studies.js'
import { until } from './support/until.js'

const test = suite('recipes')
const place = studyPlace(test, 'recipes')
const root = fileURLToPath(new URL('..', import.meta.url))
/** Of typedoc, which reads YAML. */
const { parse } = createRequire(createRequire(import.meta.url).resolve('typedoc'))('yaml')

/** What batch/v1 has of a Job, as far as the manifest uses it; `true` is any value. */
const container = {
  ...{ name: true, image: true, workingDir: true, command: [true] },
  resources: { requests: { cpu: true, memory: true }, limits: { cpu: true, memory: true } },
  volumeMounts: [{ name: true, mountPath: true }],
}
const pod = {
  ...{ restartPolicy: true, terminationGracePeriodSeconds: true, containers: [container] },
  volumes: [{ name: true, persistentVolumeClaim: { claimName: true } }],
}
const rule = {
  action: true,
  onPodConditions: [{ type: true, status: true }],
  onExitCodes: { containerName: true, operator: true, values: [true] },
}
const job = {
  ...{ apiVersion: true, kind: true, metadata: { name: true } },
  spec: {
    ...{ completionMode: true, completions: true, parallelism: true, backoffLimitPerIndex: true },
    ...{ podFailurePolicy: { rules: [rule] }, template: { spec: pod } },
  },
}

function unknownIn(value, schema, path = '') {
  if (schema === true) return typeof value === 'object' ? [path] : []
  if (Array.isArray(schema) !== Array.isArray(value)) return [path]
  if (Array.isArray(schema)) return value.flatMap((one, i) => unknownIn(one, schema[0], `${path}[${i}]`))
  const within = ([name, one]) =>
    name in schema ? unknownIn(one, schema[name], `${path}.${name}`) : [`${path}.${name}`]
  return Object.entries(value).flatMap(within)
}

test('the manifest is an Indexed Job of workers', () => {
  const manifest = parse(readFileSync(join(root, 'examples/kubernetes/worker-job.yaml'), 'utf8'))
  assert.equal(unknownIn(manifest, job), [])
  assert.equal([manifest.apiVersion, manifest.kind, manifest.spec.completionMode], ['batch/v1', 'Job', 'Indexed'])
  const { spec } = manifest.spec.template
  // Without it a podFailurePolicy is refused.
  assert.is(spec.restartPolicy, 'Never')
  const [{ command, volumeMounts }] = spec.containers
  assert.equal(command.slice(0, 2), ['node_modules/.bin/gradus', 'worker'])
  assert.ok(command.every((word) => typeof word === 'string'))
  assert.ok(command.includes('--dir=/studies/study') && volumeMounts[0].mountPath === '/studies')
  assert.equal(
    volumeMounts.map(({ name }) => name),
    spec.volumes.map(({ name }) => name),
  )
  assert.equal(manifest.spec.podFailurePolicy.rules.at(-1).onExitCodes.containerName, spec.containers[0].name)
})

/** The activity, with a context that pretends to be Temporal's. */
async function activity() {
  const folder = place.next()
  const fake = join(folder, 'node_modules/@temporalio/activity')
  mkdirSync(fake, { recursive: true })
  symlinkSync(root, join(folder, 'node_modules/gradus'))
  writeFileSync(join(fake, 'package.json'), '{ "name": "@temporalio/activity", "type": "module", "main": "index.js" }')
  writeFileSync(join(fake, 'index.js'), 'export const Context = { current: () => globalThis.temporal }\n')
  const file = join(folder, 'activity.mjs')
  writeFileSync(file, readFileSync(join(root, 'examples/temporal/activity.js')))
  const cancelling = new AbortController()
  const cancelled = new Promise((_, reject) => {
    cancelling.signal.addEventListener('abort', () => reject(new Error('CancelledFailure')))
  })
  cancelled.catch(() => undefined)
  let beats = 0
  globalThis.temporal = { heartbeat: () => beats++, cancellationSignal: cancelling.signal, cancelled }
  return {
    folder,
    dir: join(folder, 'study'),
    cancelling,
    ...(await import(pathToFileURL(file).href)),
    beats: () => beats,
  }
}

test('the activity trains a trial a call, and says when there is none left', async () => {
  const { folder, dir, trainOne, beats } = await activity()
  const file = writeStudy(folder, { trials: 2 })
  assert.equal(
    [await trainOne(file, dir), await trainOne(file, dir), await trainOne(file, dir)],
    ['limit', 'limit', 'done'],
  )
  assert.equal(
    (await trialsOf(dir)).map(({ state }) => state),
    ['complete', 'complete'],
  )
  assert.ok(beats() >= 3)
})

test('a cancellation has the trial pause; a study that cannot be worked on is an error', async () => {
  const { folder, dir, cancelling, trainOne } = await activity()
  assert.match((await failure(() => trainOne('nowhere.mjs', dir))).message, 'gradus worker ended with 2')
  const trial = '({ signal }) => setTimeout(2 ** 30, 0, { signal })'
  const training = failure(() => trainOne(writeStudy(folder, { trials: 2, trial }), dir))
  await until(async () => (await trialsOf(dir)).some(({ state }) => state === 'running'))
  cancelling.abort()
  assert.is((await training).message, 'CancelledFailure')
  assert.equal(
    (await trialsOf(dir)).map(({ state }) => state),
    ['paused'],
  )
})

test.run()
