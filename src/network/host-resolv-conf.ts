import { readFileSync } from "node:fs"
import { hasOnlyLoopbackServers } from "./container-files.ts"

/** systemd-resolved writes the servers that its stub on 127.0.0.53 asks (systemd-resolved.service(8)). */
const BEHIND_THE_STUB = "/run/systemd/resolve/resolv.conf"

/** Text of the host's resolv.conf; for a container with its own loopback, what stands behind a local stub. */
export function hostResolvConf(kind: "bridge" | "host"): string {
  const text = read("/etc/resolv.conf")
  return kind === "bridge" && hasOnlyLoopbackServers(text) ? read(BEHIND_THE_STUB) || text : text
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}
