/** Who listens in another network namespace, by the tables of a process in it (proc_pid_net(5)). */
import { readFileSync } from "node:fs"

const TCP_LISTEN = "0A"

/** `loopback`: there alone. */
export type Listening = "everywhere" | "loopback" | "nobody"

/** Whether a port is listened on, of UDP whether it is bound, in the network namespace of a process. Throws errno errors. */
export function listeningIn(pid: number, protocol: "tcp" | "udp", port: number): Listening {
  const found = ["", "6"].flatMap((suffix) => socketsOf(`/proc/${pid}/net/${protocol}${suffix}`, protocol, port))
  if (found.length === 0) return "nobody"
  return found.every((address) => isLoopback(address)) ? "loopback" : "everywhere"
}

/** Whether a port of this namespace is held for IPv6. */
export function isHeldForIpv6(protocol: "tcp" | "udp", port: number): boolean {
  return socketsOf(`/proc/self/net/${protocol}6`, protocol, port).length > 0
}

/** Their local addresses in hexadecimal. */
function socketsOf(path: string, protocol: "tcp" | "udp", port: number): string[] {
  const [, ...lines] = readText(path).split("\n")
  return lines.flatMap((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/)
    const [address = "", number = ""] = local.split(":")
    if (Number.parseInt(number, 16) !== port || (protocol === "tcp" && state !== TCP_LISTEN)) return []
    return address
  })
}

/** Words of 32 bits in the host's byte order. */
function isLoopback(address: string): boolean {
  return address.length === 8 ? address.endsWith("7F") : /^0{24}01000000$|0000FFFF.{6}7F$/.test(address)
}

/** A kernel may have no IPv6. */
function readText(path: string): string {
  try {
    return readFileSync(path, "latin1")
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return ""
    throw error
  }
}
