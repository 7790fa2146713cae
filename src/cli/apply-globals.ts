import { openSync } from "node:fs"
import { Unsupported } from "../base/errors.ts"
import { duplicate } from "../sys/libc.ts"
import { detectCgroups } from "../sys/process/cgroup.ts"
import type { FOREIGN_GLOBAL_FLAGS } from "./foreign-globals.ts"
import { flagName, type FlagValues } from "./flag.ts"
import { UsageError } from "./errors/usage-error.ts"

type ForeignGlobals = FlagValues<typeof FOREIGN_GLOBAL_FLAGS>

const NO_DAEMON = "there is no daemon to connect to: skiff works on this host itself"

/** Why a flag is refused, and which values change nothing and are taken. */
const REFUSED: Partial<Record<keyof ForeignGlobals, { reason: string; harmless?: readonly string[] }>> = {
  context: { reason: NO_DAEMON, harmless: ["default", ""] },
  host: { reason: NO_DAEMON, harmless: ["", "unix:///var/run/docker.sock", "unix:///run/docker.sock"] },
  tls: { reason: NO_DAEMON },
  tlsCa: { reason: NO_DAEMON },
  tlsCert: { reason: NO_DAEMON },
  tlsKey: { reason: NO_DAEMON },
  tlscacert: { reason: NO_DAEMON },
  tlscert: { reason: NO_DAEMON },
  tlskey: { reason: NO_DAEMON },
  tlsverify: { reason: NO_DAEMON },
  eventsBackend: { reason: "events are kept in the store, in SQLite", harmless: ["sqlite", "file"] },
  imagestore: { reason: "images are kept in --root" },
  module: { reason: "there is one configuration, and no modules of it" },
  networkConfigDir: { reason: "networks are kept in the store, and not as files" },
  storageDriver: { reason: "the file system decides: overlay where it can", harmless: ["overlay", "overlay2", ""] },
  storageOpt: { reason: "the storage has no options" },
  tmpdir: { reason: "volatile state is kept in --runroot" },
  transientStore: { reason: "a store is there until it is reset" },
  volumepath: { reason: "volumes are kept in --root" },
}

/** Does what the flags say, or throws Unsupported with the reason why that cannot be. */
export function applyForeignGlobals(values: ForeignGlobals): void {
  for (const [property, { reason, harmless = [] }] of Object.entries(REFUSED)) {
    const value = values[property as keyof ForeignGlobals]
    const given = Array.isArray(value) ? value : value === undefined || value === false ? [] : [String(value)]
    const refused = given.find((text: string) => !harmless.includes(text))
    if (refused !== undefined) throw new Unsupported(`--${flagName(property)} is not supported: ${reason}`)
  }
  checkCgroupManager(values.cgroupManager)
  if (values.config !== undefined) process.env.DOCKER_CONFIG = values.config
  if (values.out !== undefined) redirectOutput(values.out)
}

function checkCgroupManager(asked: string | undefined): void {
  if (asked === undefined) return
  if (asked !== "cgroupfs" && asked !== "systemd")
    throw new UsageError(`unknown cgroup manager "${asked}"`, { hint: { valid: ["cgroupfs", "systemd"] } })
  const { manager } = detectCgroups()
  // without cgroups of its own a container is in nobody's care
  if (manager !== "disabled" && manager !== asked)
    throw new Unsupported(`--cgroup-manager ${asked} is not supported here: this host's cgroups are made by ${manager}`)
}

/** Whatever is written from here on, programs' output too. */
function redirectOutput(path: string): void {
  duplicate(openSync(path, "w", 0o644), 1)
}
