/** What page tests measure inside the browser; each function is sent there as text and stands alone. */

export const focusedRow = () => document.activeElement?.closest('tr')?.id ?? ''
export const width = () => document.documentElement.scrollWidth
export const returnToTab = () => void document.dispatchEvent(new Event('visibilitychange'))

/** @param {{ id: string }[]} all */
export const idsOf = (all) => all.map((one) => one.id)

/** Links and buttons that are too low to hit; inside a sentence a link is as high as its line. */
export const smallTargets = () =>
  [...document.querySelectorAll('a, button')].flatMap((one) => {
    const { height } = one.getBoundingClientRect()
    return height > 1 && height < 24 && !one.closest('p, dd') ? [`${one.textContent} ${height}`] : []
  })

/**
 * Visible texts whose contrast, as WCAG 2.2 defines it, is below the ratio. Colours are painted to be read, so every
 * notation counts.
 * @param {number} ratio
 * @returns {string[]}
 */
export function textsBelowContrast(ratio) {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const read = (colour) => {
    context.clearRect(0, 0, 1, 1)
    context.fillStyle = colour
    context.fillRect(0, 0, 1, 1)
    const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data
    return [red, green, blue, alpha / 255]
  }
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1]
  const ground = (element) => {
    if (!element) return read('canvas')
    const own = read(getComputedStyle(element).backgroundColor)
    return own[3] === 1 ? own : over(own, ground(element.parentElement))
  }
  const linear = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
  const luminance = ([r, g, b]) =>
    0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255)
  const poor = new Set()
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement
    if (
      !node.nodeValue.trim() ||
      !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    )
      continue
    const behind = ground(element)
    const both = [luminance(over(read(getComputedStyle(element).color), behind)), luminance(behind)]
    const found = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05)
    if (found < ratio) poor.add(`${node.nodeValue.trim()} ${found.toFixed(2)}`)
  }
  return [...poor]
}
