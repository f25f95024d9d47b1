import { resolve } from 'node:path'

/** The absolute form of a path that the user gave. A relative path starts at the folder where the user typed
 *  the command. npm runs scripts in the folder of the project and keeps the folder of the user in INIT_CWD.
 *  npx puts its own folder there, so the root commands (tools/bootstrap.mjs) pass the folder of the user as
 *  TAU_CWD. */
export const userPath = (path: string): string =>
  resolve(process.env.TAU_CWD ?? process.env.INIT_CWD ?? process.cwd(), path)
