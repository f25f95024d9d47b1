// Everything of the package that touches the file system goes through here. Node's modules are loaded when a function asks for them, under
// names that bundlers do not resolve, so that the rest works in a browser.
const node = (name: string): Promise<unknown> => import(/* @vite-ignore */ `node:${name}`)

export const nodeFs = () => node('fs/promises') as Promise<typeof import('node:fs/promises')>
export const nodePath = () => node('path') as Promise<typeof import('node:path')>
