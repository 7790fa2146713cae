import { InvalidArgument } from "../base/errors.ts"

/** Words that say how a container is connected, in whatever tool's words: no network is called so. */
const MODES = new Set([
  "bridge",
  "container",
  "default",
  "host",
  "none",
  "ns",
  "pasta",
  "podman",
  "private",
  "slirp4netns",
])

/** Throws InvalidArgument for a name that a network of a user's cannot have. */
export function checkNetworkName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name))
    throw new InvalidArgument(`invalid network name "${name}"`, {
      hint: "names are letters, digits, dots, dashes and underscores, and begin with a letter or digit",
      data: { object: "network", name, reason: "characters" },
    })
  if (MODES.has(name))
    throw new InvalidArgument(`no network can be named "${name}": the word is a network mode`, {
      data: { object: "network", name, reason: "mode" },
    })
}
