#!/usr/bin/env node
import { EXIT, say } from './io.ts'
import { main } from './program.ts'

const controller = new AbortController()
const io = { stdout: process.stdout, stderr: process.stderr, signal: controller.signal }

// The first Ctrl-C lets a command finish what it is at and save; the second ends at once.
process.on('SIGINT', () => {
  if (controller.signal.aborted) process.exit(EXIT.interrupted)
  say(io, '\nstopping; once more to quit without saving')
  controller.abort()
})
// A reader that went away (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.error),
)

process.exitCode = await main(process.argv.slice(2), io)
