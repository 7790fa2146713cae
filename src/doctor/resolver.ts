/** Who answers the names of containers on networks that a user has made. */
import { isReady, readReady } from "../network/dns/ready-file.ts"
import { missing, notNeeded, ok, type Check, type Finding, type HostProbe } from "./check.ts"

/** A process, and no part of the host: it may have been killed. */
export const resolverChecks: readonly Check[] = [
  { name: "resolver", purpose: "names of containers on networks of your own", look: lookAtResolver },
]

function lookAtResolver({ paths }: HostProbe): Finding {
  const ready = readReady(paths.runRoot)
  if (ready === undefined) return notNeeded("no container is on a network of your own")
  if (isReady(paths.runRoot)) return ok(`process ${ready.pid} answers, on port ${ready.port} of the loopback`)
  return missing(`process ${ready.pid} has ended, and nobody answers`, [
    "the next command that looks at containers starts it again, where it is needed",
    { do: "listContainers" },
  ])
}
