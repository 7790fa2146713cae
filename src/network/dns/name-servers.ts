/** Whom the host asks for names. */
import { readFileSync, statSync } from "node:fs"
import { hasErrno } from "../../base/errors.ts"
import { nameServersOf } from "../container-files.ts"

/** resolv.conf(5): where no server is named, it is the host itself. */
const WITHOUT_ANY = ["127.0.0.1"]

/**
 * The name servers of a resolv.conf, as it is now: its place is looked at for each question (5 µs), so a change of network, VPN or DHCP
 * lease is followed at once. As the host's own programs do, it asks what stands there, also a stub on the host's loopback
 * (systemd-resolved, dnsmasq), which knows more of VPNs than a list of its servers would.
 */
export class HostNameServers {
  readonly #path: string
  #seen = ""
  #servers: readonly string[] = WITHOUT_ANY

  constructor(path = "/etc/resolv.conf") {
    this.#path = path
  }

  now(): readonly string[] {
    const seen = signatureOf(this.#path)
    if (seen === this.#seen) return this.#servers
    const found = seen === "" ? [] : nameServersOf(readFileSync(this.#path, "utf8"))
    this.#servers = found.length > 0 ? found : WITHOUT_ANY
    this.#seen = seen
    return this.#servers
  }
}

/** Tells one file from the next, and it before a change from it after; empty: there is none. */
function signatureOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return ""
    throw error
  }
}
