#!/usr/bin/env node
import { EXIT, say } from './io.ts'
import { main } from './program.ts'

const controller = new AbortController()
const io = { stdout: process.stdout, stderr: process.stderr, signal: controller.signal }

// After the first Ctrl-C the command finishes its step and saves. The second ends the process at once.
process.on('SIGINT', () => {
  if (controller.signal.aborted) process.exit(EXIT.interrupted)
  say(io, '\nfinishing the step and saving; press Ctrl-C again to quit without saving')
  controller.abort()
})
// If the reader of stdout closes the pipe (`| head`), this is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.error),
)

process.exitCode = await main(process.argv.slice(2), io)
