import type { Command } from 'commander'
import { EXIT, type Io, print } from '../io.ts'
import { userPath } from '../paths.ts'
import { writeReport } from '../run/folder.ts'
import type { Define } from './define.ts'

export const define: Define = (command, action) => {
  command
    .argument('<folder>', 'folder of the run')
    .option('--out <file>', 'file to write (default: report.html in the folder)')
  command.action(action((io) => reportAction(command, io)))
}

async function reportAction(command: Command, io: Io): Promise<number> {
  const { out }: { out?: string } = command.opts()
  print(io, await writeReport(userPath(command.args[0]), out === undefined ? undefined : userPath(out)))
  return EXIT.ok
}
