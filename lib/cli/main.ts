#!/usr/bin/env node
/** The `gradus` command. Each subcommand is loaded when it is called. */
import { Command, CommanderError, Option } from 'commander'
import { GradusError } from '../errors.js'
import { printable } from '../printable.js'
import { version } from '../version.js'

/** Of bad usage, and of runs that cannot be read. */
const badUsage = 2

const program = new Command('gradus')
  .description('Watch, diagnose, report and resume training runs, and search hyperparameters.')
  .version(version)
  .showHelpAfterError('(gradus --help lists what there is)')
  .exitOverride()

program
  .command('watch')
  .description('serve a live page of a run, of a study, or of a folder of both')
  .argument('<directory>', 'a run directory, the folder of a study, or a folder of them')
  .option('--port <number>', 'port to listen on; default: any that is free', Number)
  .option('--host <address>', 'address to listen on; default: 127.0.0.1; another one needs --token')
  .option('--token <text>', 'what the page must carry; default: random')
  .option('--control', 'let the page keep notes and tags of runs, delete runs, and stop and retry trials of studies')
  .addOption(new Option('--open <when>', 'open a browser; default: where there is one').choices(['yes', 'no']))
  .action(async (directory, options) => (await import('./watch.js')).watch(directory, options))

program
  .command('diagnose')
  .description('say what is wrong with a run and what to try; status 1 when something is severe')
  .argument('<run>', 'a run directory')
  .option('--json', 'print the findings as JSON')
  .action(async (run, options) => {
    process.exitCode = (await (await import('./diagnose.js')).diagnoseRun(run, options)) ? 1 : 0
  })

program
  .command('report')
  .description('write a run, or a folder of runs, as one HTML file that needs no server')
  .argument('<run>', 'a run directory or a folder of them')
  .option('-o, --output <file>', "default: the run's name with .html")
  .option('--force', 'write over a file that is there')
  .action(async (run, options) => (await import('./report.js')).report(run, options))

program
  .command('checkpoints')
  .description('list the checkpoints of a run; status 1 when one is damaged')
  .argument('<run>', 'a run directory')
  .option('--json', 'print the list as JSON')
  .action(async (run, options) => {
    process.exitCode = (await (await import('./checkpoints.js')).listCheckpoints(run, options)) ? 1 : 0
  })

program
  .command('resume')
  .description('go on with a run: starts the program that has begun it once more, and ends as that does')
  .argument('<run>', 'a run directory')
  .option('--dry-run', 'print the command and do nothing')
  .action(async (run, options) => (await import('./resume.js')).resumeRun(run, options))

program
  .command('search')
  .description('search the hyperparameters of a study; goes on where it was')
  .argument('<study>', 'a file with export default defineStudy({ … }): .js, .mjs, or .ts where tsx is installed')
  .option('--dir <directory>', "the study's folder; default: studies/ and the file's name")
  .option('--workers <number>', 'processes that train; default: one a core; 8 tasks of Slurm')
  .option('--trials <number>', 'so many in all, or +50 more')
  .option('--extend', "go on in the file's space, which is another one than before; trials that fit it count")
  .option('--allow-changed', 'go on although the file has changed')
  .option('--port <number>', 'port of the page; default: any that is free', Number)
  .option('--no-page', 'serve no page')
  .option('--queue [address]', 'trials go to workers as jobs: redis://…, postgres://…; default: what GRADUS_QUEUE says')
  .option('--queue-name <text>', "what workers know the study by; default: the file's name")
  .option(
    '--artifacts <directory>',
    'where files of trials travel through, on a disk that all see; default: this process',
  )
  .option('--listen <address>', 'where this process takes files from workers: 10.0.0.5:8700')
  .option('--artifact-limit <size>', 'of one file: 500M, 2G; default: 1G')
  .option('--slurm', 'workers are tasks of an array that is submitted by sbatch')
  .option('--slurm-arguments <words>', "further ones of sbatch: '--partition=long --time=4:00:00 --cpus-per-task=4'")
  .action(async (file, options) => (await import('./search.js')).search(file, options))

program
  .command('worker')
  .description('one more worker of a study, on any machine that sees its folder, or reaches its queue')
  .argument('<study>', 'the file that defines it')
  .option('--dir <directory>', "the study's folder; default: studies/ and the file's name")
  .option('--queue [address]', 'takes its trials from there: redis://…, postgres://…; default: what GRADUS_QUEUE says')
  .option('--queue-name <text>', "what workers know the study by; default: the file's name")
  .option('--trials <number>', 'end after so many')
  .option('--for <time>', '110m, 2h: its trial waits with a checkpoint before that time is up')
  .option('--name <text>', 'what it is called; default: machine and process')
  .option('--threads <number>', 'default: one a core')
  .option('--allow-changed', 'go on although the file has changed')
  .action(async (file, options) => (await import('./worker.js')).worker(file, options))

const trials = program
  .command('trials')
  .description('list the trials of a study; below it: retry, stop, add')
  .argument('<directory>', 'a study')
  .option('--best [number]', 'the best complete ones, best first; 10 if no number is given')
  .option('--state <state>', 'those that are running, paused, complete, pruned, exploded, failed, stopped, lost')
  .addOption(new Option('--json', 'print them as JSON, with their curves').conflicts('csv'))
  .option('--csv', 'print them as comma-separated values, all digits')
  .action(async (directory, options) => (await import('./trials.js')).listTrials(directory, options))

trials
  .command('retry')
  .description('have a trial that has ended wait for a worker again')
  .argument('<directory>', 'a study')
  .argument('<number>', 'a trial')
  .action(async (directory, number) => (await import('./trials.js')).retry(directory, number))

trials
  .command('stop')
  .description('have a trial end: one that runs after the epoch that it is at')
  .argument('<directory>', 'a study')
  .argument('<number>', 'a trial')
  .option('--why <text>', 'what is recorded as the reason', 'gradus trials stop')
  .action(async (directory, number, options) => (await import('./trials.js')).stop(directory, number, options))

trials
  .command('add')
  .description('have a trial with parameters of yours wait for a worker')
  .argument('<directory>', 'a study')
  .argument('<params>', 'JSON: \'{ "learningRate": 0.01 }\'')
  .action(async (directory, params) => (await import('./trials.js')).add(directory, params))

program
  .command('devices')
  .description('list what models can compute on; status 1 when that is the processor alone')
  .option('--json', 'print the list as JSON')
  .action(async (options) => {
    process.exitCode = (await import('./devices.js')).listDevices(options) ? 0 : 1
  })

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : badUsage
  else if (error instanceof GradusError) {
    process.exitCode = badUsage
    console.error(`gradus: ${printable(error.message)}`)
  } else throw error
}
