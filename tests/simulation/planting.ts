/** Preloaded into a lane: changes the text of one module of the product as it is loaded, as the planted bug says. */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { BUGS } from './bugs.ts'

const bug = BUGS.find(({ name }) => name === process.env['CROSSDOCK_PLANTED'])
if (!bug) throw new Error(`no bug is called ${process.env['CROSSDOCK_PLANTED']}`)
const target = new URL(`../../${bug.file}`, import.meta.url).href

registerHooks({
  load(url, context, next) {
    if (url !== target) return next(url, context)
    const text = readFileSync(fileURLToPath(url), 'utf8')
    if (text.split(bug.find).length !== 2)
      throw new Error(`"${bug.name}" finds its place not once in ${bug.file}`)
    return {
      format: 'module-typescript',
      source: text.replace(bug.find, () => bug.replace),
      shortCircuit: true,
    }
  },
})
