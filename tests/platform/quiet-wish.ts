/** What a process tells of a system with which nothing happens. */
import type { Wish } from '#platform/policies-shares.ts'

export const quiet: Wish = {
  pause: undefined,
  events: [],
  active: true,
  tokensBack: 0,
  tokensWanted: 0,
  slotsInUse: 0,
  slotsWanted: 0,
  probesHeld: 0,
  probesWanted: 0,
}
