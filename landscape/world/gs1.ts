/** GS1 keys with their check digits: GTIN, GLN and SSCC of a made-up company prefix. */

const PREFIX = '0614141'

/** Modulo 10, weights 3 and 1 from the right. */
export function checkDigit(digits: string): string {
  let sum = 0
  for (let i = 0; i < digits.length; i++) sum += Number(digits[digits.length - 1 - i]) * (i % 2 === 0 ? 3 : 1)
  return String((10 - (sum % 10)) % 10)
}

const key = (body: string): string => body + checkDigit(body)

/** `level` 0 is the piece, 1 and up its packings. */
export const gtin14 = (level: number, serial: number): string =>
  key(`${level}${PREFIX}${String(serial % 100_000).padStart(5, '0')}`)
export const gln13 = (serial: number): string => key(`${PREFIX}${String(serial % 100_000).padStart(5, '0')}`)
export const sscc18 = (serial: number): string => key(`0${PREFIX}${String(serial % 1e9).padStart(9, '0')}`)
