import { bundlePage, serve } from './site.ts'

const { url } = await serve(await bundlePage(), { isolated: true, port: 8080 })
console.log(`Open ${url} in a browser. Press Ctrl-C to stop the server.`)
