import { execFileSync } from 'node:child_process'

/** Runs a command in a folder and returns its stdout. If the command fails, throws an Error with everything
 *  that it printed. */
export function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, stdio: 'pipe', encoding: 'utf8' })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(
      `check: ${[command, ...args].join(' ')} must succeed in ${cwd}, got:\n${stdout}\n${stderr}`,
    )
  }
}
