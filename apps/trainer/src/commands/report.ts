import { Command } from 'commander'
import { userPath } from '../paths.ts'
import { writeReport } from '../run/folder.ts'
import { EXIT, type Io, print } from '../run/io.ts'
import type { Action } from './action.ts'

export function reportCommand(action: Action): Command {
  const command = new Command('report')
    .description('Write report.html from metrics.jsonl again, also while the run goes on')
    .argument('<folder>', 'folder of the run')
    .option('--out <file>', 'other file to write')
  return command.action(action((io) => reportAction(command, io)))
}

async function reportAction(command: Command, io: Io): Promise<number> {
  const { out }: { out?: string } = command.opts()
  print(io, await writeReport(userPath(command.args[0]), out === undefined ? undefined : userPath(out)))
  return EXIT.ok
}
