/** What every scenario is told, and the figures that all of them share. */
import type { Mode } from './config.ts'
import type { Result } from './report.ts'
import type { Used } from './stage.ts'

export type Run = {
  readonly modes: readonly Mode[]
  readonly quick: boolean
  /** Progress. */
  readonly say: (text: string) => void
}

type PerOrder = Pick<Result, 'transactionsPerOrder' | 'walBytesPerOrder' | 'cpuSecondsPer1000'>

export function perOrder({ transactions, walBytes, cpuSeconds }: Used, orders: number): PerOrder {
  const { postgres, app, counterparts, driver } = cpuSeconds
  const share = (used: number): number => (1000 * used) / orders
  return {
    transactionsPerOrder: transactions / orders,
    walBytesPerOrder: walBytes / orders,
    cpuSecondsPer1000: {
      postgres: postgres === null ? null : share(postgres),
      app: share(app),
      counterparts: share(counterparts),
      driver: share(driver),
    },
  }
}
