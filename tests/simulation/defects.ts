/** What programs complain of: faults that were planted around them, or a defect of their own. */

/** What a program may say, loudly, of a database that goes away, of being replaced, and of locks held by others. */
const NOT_ITS_OWN =
  /terminating connection|declared dead|lock timeout|could not serialize|deadlock detected|answer to COMMIT|its answers were lost|getting ready/

/** An error that no planted fault excuses. A line of the log is the program's name and one object. */
export function isDefect(line: string): boolean {
  const at = line.indexOf('{')
  if (at < 0) return false
  const { level } = JSON.parse(line.slice(at)) as { level: string }
  return (level === 'error' || level === 'fatal') && !NOT_ITS_OWN.test(line)
}
