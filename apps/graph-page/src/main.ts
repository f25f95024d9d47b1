import { bundlePage, serve } from './site.ts'

const { url } = await serve(await bundlePage(), { isolated: true, port: 8080 })
console.log(`the page is at ${url}; Ctrl-C ends it`)
