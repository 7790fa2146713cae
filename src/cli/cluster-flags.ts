import { Unsupported } from "../base/errors.ts"
import { flag, type Flag } from "./flag.ts"

function refused(name: string): Flag<string | undefined> {
  const read = (): string => {
    throw new Unsupported(`--${name} is for volumes of a Swarm cluster, and there is none here`, {
      hint: "leave it away; a plugin driver can have volumes that are the same on several machines",
    })
  }
  return flag.of(read, "Refused: for volumes of a Swarm cluster", "string")
}

/** Docker's flags for cluster volumes, which its `volume create` does not list either. */
export const CLUSTER_VOLUME_FLAGS = {
  availability: refused("availability"),
  group: refused("group"),
  limitBytes: refused("limit-bytes"),
  requiredBytes: refused("required-bytes"),
  scope: refused("scope"),
  secret: refused("secret"),
  sharing: refused("sharing"),
  topologyPreferred: refused("topology-preferred"),
  topologyRequired: refused("topology-required"),
  type: refused("type"),
}
