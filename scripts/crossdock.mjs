#!/usr/bin/env node
/** The `crossdock` command, from any working directory and any Node since 20. */
import { runOnProjectNode } from './project-node.mjs'

await runOnProjectNode('src/cli.ts', process.argv.slice(2))
