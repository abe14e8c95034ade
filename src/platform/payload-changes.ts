/** What an edit changed in a payload: by field where both are JSON, else by line. */

export type PayloadChange = { readonly at: string; readonly before?: unknown; readonly after?: unknown }

/** Beyond this many the rest is not listed; the payload before the edit is kept whole. */
const CHANGES_MAX = 200

/** JSON pointers for JSON, line numbers (`line 3`) for any other text. Equal payloads have no changes. */
export function payloadChanges(before: string, after: string): PayloadChange[] {
  const changes: PayloadChange[] = []
  const [old, edited] = [parse(before), parse(after)]
  if (old && edited) compare(old.value, edited.value, '', changes)
  else compareLines(before, after, changes)
  return changes.slice(0, CHANGES_MAX)
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

function compare(before: unknown, after: unknown, at: string, changes: PayloadChange[]): void {
  const alike = isObject(before) && isObject(after) && Array.isArray(before) === Array.isArray(after)
  if (!alike) {
    if (before !== after) changes.push({ at, before, after })
    return
  }
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const pointer = `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (!Object.hasOwn(before, name)) changes.push({ at: pointer, after: after[name] })
    else if (!Object.hasOwn(after, name)) changes.push({ at: pointer, before: before[name] })
    else compare(before[name], after[name], pointer, changes)
  }
}

function compareLines(before: string, after: string, changes: PayloadChange[]): void {
  const [old, edited] = [before.split('\n'), after.split('\n')]
  for (let line = 0; line < Math.max(old.length, edited.length); line++) {
    if (old[line] === edited[line]) continue
    changes.push({
      at: `line ${line + 1}`,
      ...(line < old.length ? { before: old[line] } : {}),
      ...(line < edited.length ? { after: edited[line] } : {}),
    })
  }
}
