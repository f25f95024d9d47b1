import { Command, CommanderError } from 'commander'
import type { Action } from './commands/define.ts'
import { COMMANDS } from './commands/index.ts'
import { UsageError } from './config/errors.ts'
import { EXIT, type Io, say } from './io.ts'
import { tauVersion } from './run/versions.ts'

/** Runs the command line inside this process: takes its arguments, returns its exit code. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.ok
  const action: Action = (run) => async () => {
    code = await run(io)
  }
  const program = new Command('tau')
    .description(
      'Train, inspect and use Tauformers: GPTs whose attention measures distances on a graph of the domain',
    )
    .version(tauVersion)
    .option('--debug', 'print the stack trace of an error')
    .showHelpAfterError('(--help explains every option)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
  try {
    for (const { name, description, load } of COMMANDS) {
      const command = new Command(name).description(description)
      if (args.includes(name)) (await load()).define(command, action)
      addCommand(program, command)
    }
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    say(io, `tau: ${program.opts().debug ? (stack ?? message) : message}`)
    return error instanceof UsageError ? EXIT.usage : EXIT.error
  }
}

/** Adds a command that was made separately. commander copies settings such as exitOverride only to commands
 *  that its own `command()` makes, so they are copied here. */
function addCommand(parent: Command, child: Command): void {
  const inherit = (command: Command, from: Command) => {
    command.copyInheritedSettings(from)
    for (const inner of command.commands) inherit(inner, command)
  }
  inherit(child, parent)
  parent.addCommand(child)
}
