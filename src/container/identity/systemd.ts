/** What systemd needs to be the program of a container (systemd.io/CONTAINER_INTERFACE): podman's choice. */
import { basename } from "node:path"
import type { OciMount } from "../../spec/oci-runtime.ts"
import type { TreeOptions } from "../identity-options.ts"

const INITS = new Set(["/sbin/init", "/usr/sbin/init", "/usr/local/sbin/init"])
const TMPFS = ["/run", "/run/lock", "/tmp", "/var/log/journal"]

/** systemd ends at this one; SIGTERM it takes for a word to start over. */
export const SYSTEMD_STOP_SIGNAL = "SIGRTMIN+3"

/** Tells systemd that there is no hardware to look for. */
export const SYSTEMD_VARIABLE = "container=oci"

/** Whether the program `argv` is to be run as systemd. */
export function isSystemd(tree: TreeOptions | undefined, argv: readonly string[]): boolean {
  if (tree?.systemd === "always") return true
  const [program = ""] = argv
  return tree?.systemd === "auto" && (INITS.has(program) || basename(program) === "systemd")
}

/** The places that it writes to, with what the image has there. Not those that somebody has mounted himself. */
export function systemdMounts({ systemdTmpfsBytes }: TreeOptions, taken: (target: string) => boolean): OciMount[] {
  const size = systemdTmpfsBytes === undefined ? [] : [`size=${systemdTmpfsBytes}`]
  return TMPFS.filter((target) => !taken(target)).map((destination) => ({
    destination,
    type: "tmpfs",
    source: "tmpfs",
    options: ["rw", "nosuid", "nodev", "tmpcopyup", `mode=${destination === "/tmp" ? "1777" : "755"}`, ...size],
  }))
}
