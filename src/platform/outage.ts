/** Tells a failure that is everybody's from one that may be an item's own. */
import { sqlState } from './database.ts'
import { Outage, Refusal } from './faults.ts'

/**
 * Class 08 connection, 53 no room for more (disk, memory, connections), 57P shutdown, 58 failing disks, 25006 a standby
 * that does not take writes, CD001 this process was declared dead.
 */
const AWAY = /^(08|53|57P|58|25006|CD001)/

/**
 * The database is away, this process was fenced, or a system cannot answer: nobody's own fault, so nothing is bisected
 * or parked for it.
 */
export function isOutage(error: unknown): boolean {
  if (error instanceof Outage) return true
  if (error instanceof Refusal) return false
  const state = sqlState(error)
  return state === undefined ? isConnectionLoss(error) : AWAY.test(state)
}

/**
 * Somebody else's lock, or a statement that ran out of time: mostly the hour's fault. Alone an item that meets it can
 * wait, and only one that meets it for many minutes has something that a person must see.
 */
const BUSY = /^(40001|40P01|55P03|57014)$/

export const isBusy = (error: unknown): boolean => BUSY.test(sqlState(error) ?? '')

const SOCKET = /^E(CONN[A-Z]+|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN)$/

/** What sockets and the driver say when a connection is gone; they have no SQLSTATE for it. */
const isConnectionLoss = (error: unknown): boolean => {
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown }
  // A server that is down has taken its socket's file along: ENOENT, but only of a connect.
  if (syscall === 'connect' || (typeof code === 'string' && SOCKET.test(code))) return true
  return (
    error instanceof Error &&
    /connection (terminated|ended|refused)|client (has encountered|was closed)|timeout exceeded when trying|query read timeout/i.test(
      error.message,
    )
  )
}
