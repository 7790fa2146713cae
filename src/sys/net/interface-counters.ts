import { readFileSync } from "node:fs"

/** What one interface has carried since it was made. */
export interface InterfaceCounters {
  name: string
  receivedBytes: number
  receivedPackets: number
  receivedErrors: number
  receivedDropped: number
  sentBytes: number
  sentPackets: number
  sentErrors: number
  sentDropped: number
}

/**
 * All interfaces but the loopback of the network namespace that process `pid` is in (proc_pid_net(5)). Undefined when the process is gone.
 * The file is not kept open: a descriptor of it would keep the namespace alive.
 */
export function interfaceCounters(pid: number): InterfaceCounters[] | undefined {
  try {
    return parseInterfaceCounters(readFileSync(`/proc/${pid}/net/dev`, "latin1"))
  } catch {
    return undefined
  }
}

/** Two lines of titles, then `NAME: ` and sixteen numbers, eight a direction. Pure. */
function parseInterfaceCounters(text: string): InterfaceCounters[] {
  return text
    .split("\n")
    .slice(2)
    .flatMap((line) => {
      const at = line.lastIndexOf(":") // an alias has one in its name
      const name = line.slice(0, at).trim()
      if (at < 0 || name === "lo") return []
      const numbers = line
        .slice(at + 1)
        .trim()
        .split(/ +/)
        .map(Number)
      const [receivedBytes = 0, receivedPackets = 0, receivedErrors = 0, receivedDropped = 0] = numbers
      const [sentBytes = 0, sentPackets = 0, sentErrors = 0, sentDropped = 0] = numbers.slice(8)
      const received = { receivedBytes, receivedPackets, receivedErrors, receivedDropped }
      return [{ name, ...received, sentBytes, sentPackets, sentErrors, sentDropped }]
    })
}
