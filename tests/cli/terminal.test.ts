/** What a command writes for people, whatever other systems have written. */
import { afterEach, expect, test, vi } from 'vitest'
import { openTerminal, printable, printList } from '../../src/cli-context.ts'

afterEach(() => vi.restoreAllMocks())

function written(write: () => void): string {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  write()
  return out.mock.calls.map(([text]) => String(text)).join('')
}

test.each([
  ['a title that renames the window', 'late \u001b]0;all is well\u0007', 'late \ufffd]0;all is well\ufffd'],
  ['a name that moves the cursor up', 'field\u001b[2A', 'field\ufffd[2A'],
  ['the one-byte form of the same', 'field\u009b2A', 'field\ufffd2A'],
  ['a line that overwrites itself', 'refused\raccepted', 'refused\ufffdaccepted'],
  ['colors and lines of ours', '\u001b[1;31mlate\u001b[39m\nnext', '\u001b[1;31mlate\u001b[39m\nnext'],
])('%s', (_what, text, shown) => {
  expect(printable(text)).toBe(shown)
})

test('neither data nor a cell of a list steers the terminal, and a cell stays on its line', () => {
  const terminal = openTerminal({ color: false })
  const title = 'late\u001b[2J\nand gone'
  expect(written(() => terminal.data({ title }, () => title))).toBe('late\ufffd[2J\nand gone\n')
  vi.restoreAllMocks()
  expect(written(() => printList(terminal, [{ title }], { TITLE: (row) => row.title }))).toBe(
    'TITLE\nlate\ufffd[2J and gone\n',
  )
})
