/** Lint rules for what oxlint cannot say by itself. */

/** The time of day comes from the clock port, so neither `new Date()` nor `Date()` stands without an argument. */
const noPresentTime = {
  create(context) {
    const check = (node) => {
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'Date' || node.arguments.length > 0)
        return
      context.report({ node, message: "The present is the clock's: src/platform/clock.ts." })
    }
    return { NewExpression: check, CallExpression: check }
  },
}

/** Everything is imported from the file that says it; there are no barrels. */
const noReexport = {
  create(context) {
    const check = (node) => {
      if (node.source)
        context.report({ node, message: 'Import from the file that says it, not through another.' })
    }
    return { ExportNamedDeclaration: check, ExportAllDeclaration: check }
  },
}

// oxlint takes a plugin from the default export.
export default {
  meta: { name: 'house' },
  rules: { 'no-present-time': noPresentTime, 'no-reexport': noReexport },
}
