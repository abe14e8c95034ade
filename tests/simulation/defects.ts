/** What programs complain of: faults that were planted around them, or a defect of their own. */

/** What a program may say, loudly, of a database that goes away, of being replaced, and of locks held by others. */
const NOT_ITS_OWN =
  /terminating connection|declared dead|lock timeout|could not serialize|deadlock detected|answer to COMMIT|its answers were lost|getting ready/

/** Files and history are as they should be, whoever else applies them. */
const UNMIGRATED = / could not migrate: /

/** An error that no planted fault excuses. A line of the log is the program's name and one object. */
export function isDefect(line: string): boolean {
  if (UNMIGRATED.test(line)) return !NOT_ITS_OWN.test(line)
  const at = line.indexOf('{')
  if (at < 0) return false
  const { level } = JSON.parse(line.slice(at)) as { level: string }
  return (level === 'error' || level === 'fatal') && !NOT_ITS_OWN.test(line)
}

/** Faults that can take a lease away from a program, or the belief in it. */
const DEADLY = /^(?:crash|stall|zombie|coma|session-ended|database-restart|acknowledgement-lost)\//

/** Nothing was done to any program of ours. */
export const unharmed = (struck: readonly string[]): boolean => !struck.some((name) => DEADLY.test(name))

/** Lines of programs that lost their lease although nothing had been done to anybody. */
export const wronglyDead = (lines: readonly string[], struck: readonly string[]): string[] =>
  unharmed(struck) ? lines.filter((line) => line.includes('the lease was lost')) : []
