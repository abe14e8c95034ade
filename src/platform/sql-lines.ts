/** Line numbers in a text of SQL statements, for messages that point at the place. */

/** What can hold a semicolon that ends no statement (comments, strings, names, dollar quotes), or one that does. */
const TOKEN = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|;|\S/g

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}

/** The line on which each statement begins. */
export function statementLines(text: string): number[] {
  const lines: number[] = []
  let between = true
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token.startsWith('--') || token.startsWith('/*')) continue
    if (between && token !== ';') lines.push(lineAt(text, index))
    between = token === ';'
  }
  return lines
}
