import { readFileSync } from "node:fs"

let known: Map<string, number> | undefined

/** The port of a service's name, as the host's services(5) has it, or of one that is a number. Undefined: nobody knows. */
export function servicePort(service: string, protocol: string): number | undefined {
  if (/^\d{1,5}$/.test(service)) return Number(service)
  known ??= read()
  return known.get(`${service}/${protocol}`)
}

/** Hosts without the file still know the web's own. */
const COMMON: readonly (readonly [string, number])[] = [
  ["http/tcp", 80],
  ["https/tcp", 443],
]

function read(): Map<string, number> {
  const ports = new Map(COMMON)
  for (const line of textOf("/etc/services").split("\n")) {
    const [name, place, ...aliases] = line.replace(/#.*/, "").trim().split(/\s+/)
    const [, port, protocol] = /^(\d+)\/(\w+)$/.exec(place ?? "") ?? []
    if (name === undefined || port === undefined) continue
    for (const word of [name, ...aliases]) ports.set(`${word.toLowerCase()}/${protocol}`, Number(port))
  }
  return ports
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}
