import { resolve } from 'node:path'

/** A path that the user gave: relative ones start where the command was typed. npm runs scripts in the project's folder and keeps
 *  the user's in INIT_CWD. */
export const userPath = (path: string): string => resolve(process.env.INIT_CWD ?? process.cwd(), path)
