/** The number of a package (SSCC-18, GS1 General Specifications 3.2.1), as warehouses print it and partners scan it. */

/** 18 digits, the last being the check digit (7.9). */
export const isSscc = (text: string): boolean =>
  /^\d{18}$/.test(text) && checkDigit(text.slice(0, 17)) === text.at(17)

/** GS1 modulo 10: weights 3 and 1 from the right. */
export function checkDigit(digits: string): string {
  const sum = Array.from(digits, Number)
    .reverse()
    .reduce((total, digit, index) => total + digit * (index % 2 ? 1 : 3), 0)
  return String((10 - (sum % 10)) % 10)
}
