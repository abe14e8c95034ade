/** Preloaded into programs started by project-node.mjs: stops the program in order when its starter was killed. */
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()
