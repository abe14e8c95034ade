/** What the benchmark has started and must end, however it ends itself. */

type Undo = () => Promise<void>

const open: Undo[] = []

/** Notes how something is ended; answers what ends it, once. */
export function undoable(undo: Undo): Undo {
  let undone: Promise<void> | undefined
  const once: Undo = () => {
    const at = open.indexOf(once)
    if (at >= 0) open.splice(at, 1)
    return (undone ??= undo())
  }
  open.push(once)
  return once
}

let ending: Promise<void> | undefined

/** Ends everything that is still open, the latest first; one that fails keeps no other from ending. */
export function undoAll(): Promise<void> {
  return (ending ??= undoEach())
}

async function undoEach(): Promise<void> {
  for (let undo = open.at(-1); undo; undo = open.at(-1)) {
    await undo().catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
  }
}
