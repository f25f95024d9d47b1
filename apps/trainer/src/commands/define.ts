import type { Command } from 'commander'
import type { Io } from '../io.ts'

/** Wraps what a command does into commander's action, which returns nothing: the exit code and errors go to the program. */
export type Action = (run: (io: Io) => Promise<number>) => () => Promise<void>

/** Gives a command, which has its name and description, its arguments, options and action. Every file of a command exports one. */
export type Define = (command: Command, action: Action) => void
