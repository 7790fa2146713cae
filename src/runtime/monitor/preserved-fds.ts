/** Of the descriptors of a process, those that it has without asking. */
const STANDARD = 3

/** Where descriptors of the caller stand among those that conmon is started with. */
export interface PreservedFds {
  /** Entries from 3 on: each descriptor under its own number, nothing in the gaps. */
  stdio: (number | "ignore")[]
  /** The first number after them. */
  next: number
  /** Words for conmon, which hands them to the runtime. */
  args: string[]
}

/** The program finds each under the number that it has here; runtimes count from 3 to the highest. Pure. */
export function preservedFds(fds: readonly number[] = []): PreservedFds {
  if (fds.length === 0) return { stdio: [], next: STANDARD, args: [] }
  const next = Math.max(...fds) + 1
  const stdio = Array.from({ length: next - STANDARD }, (_, index) =>
    fds.includes(index + STANDARD) ? index + STANDARD : ("ignore" as const),
  )
  return { stdio, next, args: ["--runtime-opt", `--preserve-fds=${next - STANDARD}`] }
}
