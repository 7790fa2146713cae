/**
 * Milliseconds of CPU time that this process has taken, all its threads together. A bound of time holds it against hostile input: what
 * takes exponential time is found, and another program that uses the machine is not.
 */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
