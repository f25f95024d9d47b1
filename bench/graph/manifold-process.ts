import { buildManifold, openEmbeddings } from '@tau/graph'
import { cpu } from '@tau/tensor'

// Builds a manifold in a process of its own, to measure its memory. Arguments: an embeddings file, the memory
// budget in bytes, dim, threads. Writes JSON.
const [file, budget, dim, threads] = process.argv.slice(2)
const startBytes = process.memoryUsage.rss()
const device = await cpu({ threads: Number(threads) })
const source = await openEmbeddings(file, { memoryBytes: Number(budget) })
const start = performance.now()
await buildManifold(source, { dim: Number(dim), device })
const ms = performance.now() - start
await device.close()
// maxRSS is in KiB.
console.log(JSON.stringify({ ms, bytes: process.resourceUsage().maxRSS * 1024 - startBytes }))
