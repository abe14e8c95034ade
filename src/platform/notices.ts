/** Word between processes that there is something to look at. It may be lost, so who waits for it looks by itself too. */

/** `desk`: a document is due that its process leaves to others. `policies`: what a system can bear has changed. */
export const CHANNELS = ['desk', 'policies'] as const
export type Channel = (typeof CHANNELS)[number]

export interface Notices {
  /** Calls `heard` at each word of another process, and whenever some may have been missed. */
  on(channel: Channel, heard: () => void): void
  /** Tells the other processes, now and not more often than they need to hear it. */
  tell(channel: Channel): void
}
