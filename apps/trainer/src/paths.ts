import { resolve } from 'node:path'

/** A path that the user gave: relative ones start where the command was typed. npm runs scripts in the project's folder and keeps the
 *  user's in INIT_CWD; npx puts its own folder there, so the root commands (tools/bootstrap.mjs) hand the user's on as TAU_CWD. */
export const userPath = (path: string): string =>
  resolve(process.env.TAU_CWD ?? process.env.INIT_CWD ?? process.cwd(), path)
