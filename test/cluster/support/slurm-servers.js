// A Slurm of one node: munged, slurmctld and slurmd with key, sockets, ports and folders of their own, without cgroups.
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from '../../support/until.js'

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => server.address().port)
  for (const server of servers) server.close()
  return ports
}

const configuration = (root, [control, node], cores) => `
ClusterName=gradus
SlurmctldHost=${hostname().split('.')[0]}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# A job that is requeued waits for as long as its old credential counts, else two minutes.
AuthInfo=socket=${root}/munge.socket,cred_expire=5
SlurmctldPort=${control}
SlurmdPort=${node}
StateSaveLocation=${root}/state
SlurmdSpoolDir=${root}/spool
SlurmctldPidFile=${root}/slurmctld.pid
SlurmdPidFile=${root}/slurmd.pid
SlurmctldLogFile=${root}/slurmctld.log
SlurmdLogFile=${root}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
# As many tasks as the test wants, on however few cores.
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0
MpiDefault=none
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=node NodeHostname=${hostname().split('.')[0]} NodeAddr=127.0.0.1 CPUs=${cores} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`

/**
 * Starts it, for as many tasks at once, and has this process and its children use it. What lies in the folder `hidden` is not seen by
 * the node's tasks, as on a machine that does not share it. As root.
 */
export async function startSlurm({ cores = 4 } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'gradus-slurm-'))
  const [config, hidden] = [join(root, 'slurm.conf'), join(root, 'hidden')]
  for (const folder of ['state', 'spool', 'hidden']) mkdirSync(join(root, folder))
  writeFileSync(join(root, 'munge.key'), randomBytes(128), { mode: 0o600 })
  writeFileSync(config, configuration(root, await freePorts(2), cores))
  const servers = []
  const start = (command, ...words) => {
    const server = spawn(command, words, { stdio: 'ignore', env: { ...process.env, SLURM_CONF: config } })
    server.once('error', (error) => console.error(`${command}: ${error.message}`))
    servers.push({ server, ended: once(server, 'exit') })
  }
  const stop = async () => {
    for (const { server, ended } of servers.reverse()) {
      if (server.exitCode === null && server.kill('SIGTERM')) await ended
    }
    rmSync(root, { recursive: true, force: true })
  }
  const file = (name) => join(root, `munge.${name}`)
  const places = ['socket', 'pid', 'log'].map((name) => `--${name === 'socket' ? name : `${name}-file`}=${file(name)}`)
  start('munged', '--foreground', '--force', `--key-file=${file('key')}`, `--seed-file=${file('seed')}`, ...places)
  start('slurmctld', '-D', '-f', config)
  // The node alone has an empty folder in that place.
  const behind = 'mount -t tmpfs none "$1" && exec slurmd -D -f "$2" -N node'
  start('unshare', '--mount', 'sh', '-c', behind, 'sh', hidden, config)
  process.env.SLURM_CONF = config
  const call = async (command, ...words) => (await promisify(execFile)(command, words)).stdout
  try {
    await until(
      () =>
        call('sinfo', '--noheader', '--format=%T').then(
          (text) => text.trim() === 'idle',
          () => false,
        ),
      60_000,
    )
  } catch (error) {
    for (const name of ['munge', 'slurmctld', 'slurmd']) {
      console.error(
        `${name}: ${readFileSync(join(root, `${name}.log`), { encoding: 'utf8', flag: 'a+' }).slice(-2000)}`,
      )
    }
    await stop()
    throw error
  }
  return { root, hidden, call, stop }
}
