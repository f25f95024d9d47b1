import { Command, CommanderError } from 'commander'
import type { Action } from './commands/action.ts'
import { benchCommand } from './commands/bench.ts'
import { demoCommand } from './commands/demo.ts'
import { evalCommand } from './commands/eval.ts'
import { generateCommand } from './commands/generate.ts'
import { infoCommand } from './commands/info.ts'
import { manifoldCommand } from './commands/manifold.ts'
import { prepareCommand } from './commands/prepare.ts'
import { reportCommand } from './commands/report.ts'
import { tokenizerCommand } from './commands/tokenizer.ts'
import { trainCommand } from './commands/train.ts'
import { UsageError } from './config/errors.ts'
import { EXIT, type Io, say } from './run/io.ts'
import { tauVersion } from './run/versions.ts'

const COMMANDS = [
  demoCommand,
  trainCommand,
  evalCommand,
  generateCommand,
  infoCommand,
  reportCommand,
  manifoldCommand,
  tokenizerCommand,
  prepareCommand,
  benchCommand,
]

/** The command line, without a process: arguments in, exit code out. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.ok
  const action: Action = (run) => async () => {
    code = await run(io)
  }
  const program = new Command('tau')
    .description(
      'Train, look at and use Tauformers: GPTs whose attention measures distances on a domain graph',
    )
    .version(tauVersion)
    .option('--debug', 'show where an error comes from')
    .showHelpAfterError('(--help explains every option)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
  for (const command of COMMANDS) addCommand(program, command(action))
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    say(io, `tau: ${program.opts().debug ? (stack ?? message) : message}`)
    return error instanceof UsageError ? EXIT.usage : EXIT.error
  }
}

/** Settings such as exitOverride reach only commands that are added after them by `command()`. */
function addCommand(parent: Command, child: Command): void {
  const inherit = (command: Command, from: Command) => {
    command.copyInheritedSettings(from)
    for (const inner of command.commands) inherit(inner, command)
  }
  inherit(child, parent)
  parent.addCommand(child)
}
