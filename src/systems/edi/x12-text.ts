/** Bytes to text: the reader keeps one character a byte, so that offsets are bytes, and decodes data only. */

const HIGH_BYTE = /[\u0080-\u00ff]/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const windows1252 = new TextDecoder('windows-1252')

/** One character a byte; a string is taken as the UTF-8 bytes it would be in a file. */
export function asByteText(chunk: Uint8Array | string): string {
  if (typeof chunk === 'string')
    return /^[\0-\x7f]*$/.test(chunk) ? chunk : Buffer.from(chunk, 'utf8').toString('latin1')
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')
}

export const hasHighByte = (byteText: string): boolean => HIGH_BYTE.test(byteText)

/** UTF-8 where the bytes are UTF-8, else Windows-1252, in which every byte means something. */
export function decodeByteText(byteText: string): { text: string; encoding: 'utf-8' | 'windows-1252' } {
  const bytes = Buffer.from(byteText, 'latin1')
  try {
    return { text: utf8.decode(bytes), encoding: 'utf-8' }
  } catch {
    return { text: windows1252.decode(bytes), encoding: 'windows-1252' }
  }
}

/** What a file that is no X12 seems to be, in a sentence for the person who sent it. */
export function guessFormat(byteText: string): string {
  if (/^\u00ff\u00fe|^\u00fe\u00ff|^I\0S\0A|^\0I\0S/.test(byteText))
    return 'It seems to be UTF-16; send it as ASCII or UTF-8.'
  if (byteText.startsWith('\u00c9\u00e2\u00c1')) return 'It seems to be EBCDIC; send it as ASCII or UTF-8.'
  if (/^\s*UN[AB]/.test(byteText)) return 'It seems to be EDIFACT.'
  if (/^\s*</.test(byteText)) return 'It seems to be XML or HTML.'
  if (/^\s*[[{]/.test(byteText)) return 'It seems to be JSON.'
  if (byteText.startsWith('PK\u0003\u0004') || byteText.startsWith('\u001f\u008b'))
    return 'It seems to be compressed.'
  return `It begins with ${JSON.stringify(byteText.slice(0, 20))}.`
}
