/** `node scripts/run.mjs PROGRAM ARGS…`: what npm scripts call, on a fresh clone as well. */
import { runOnProjectNode } from './project-node.mjs'

const [program, ...args] = process.argv.slice(2)
await runOnProjectNode(program, args)
