/** Flags that docker and podman have before the command. What they do, or why not, is said in `apply-globals.ts`, when one is given. */
import { flag } from "./flag.ts"

/** None of them changes anything by its absence. */
export const FOREIGN_GLOBAL_FLAGS = {
  cgroupManager: flag.string("Manager of cgroups that must be in use: cgroupfs or systemd", "name"),
  config: flag.string("Directory of Docker's client files, for credentials", "directory"),
  context: flag.string("Only default: there are no other places to connect to", "name", { short: "c" }),
  eventsBackend: flag.string("Only sqlite or file: events are kept in the store", "name"),
  host: flag.strings("Only this host: there is no daemon to connect to", "address", { short: "H" }),
  imagestore: flag.string("Not supported: images are kept in --root", "directory"),
  module: flag.strings("Not supported: there is one configuration", "name"),
  networkConfigDir: flag.string("Not supported: networks are kept in the store", "directory"),
  out: flag.string("Write standard output to a file", "file"),
  storageDriver: flag.string("Only overlay: the file system decides", "name"),
  storageOpt: flag.strings("Not supported: the storage has no options", "option"),
  tls: flag.bool("Not supported: there is no daemon to connect to"),
  tlsCa: flag.string("Not supported: there is no daemon to connect to", "file"),
  tlsCert: flag.string("Not supported: there is no daemon to connect to", "file"),
  tlsKey: flag.string("Not supported: there is no daemon to connect to", "file"),
  tlscacert: flag.string("Not supported: there is no daemon to connect to", "file"),
  tlscert: flag.string("Not supported: there is no daemon to connect to", "file"),
  tlskey: flag.string("Not supported: there is no daemon to connect to", "file"),
  tlsverify: flag.bool("Not supported: there is no daemon to connect to"),
  tmpdir: flag.string("Not supported: --runroot says where volatile state is kept", "directory"),
  transientStore: flag.bool("Not supported: a store is there until it is reset"),
  volumepath: flag.string("Not supported: volumes are kept in --root", "directory"),
}

/** Whether one was given. Cheap: it is asked at each start. */
export function hasForeignGlobals(values: Readonly<Record<string, unknown>>): boolean {
  for (const name in FOREIGN_GLOBAL_FLAGS) {
    const value = values[name]
    if (value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0)) return true
  }
  return false
}
