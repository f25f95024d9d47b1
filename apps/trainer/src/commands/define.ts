import type { Command } from 'commander'
import type { Io } from '../io.ts'

/** Wraps the function of a command into an action of commander. The action returns nothing; the program gets
 *  the exit code and errors. */
export type Action = (run: (io: Io) => Promise<number>) => () => Promise<void>

/** Adds arguments, options and action to a command, which already has its name and description. Every file of
 *  a command exports one. */
export type Define = (command: Command, action: Action) => void
