/** The OCI runtimes of this host, for what has to hold with each. */
import { chooseRuntime } from "../../src/runtime/oci/choose.ts"
import { findProgram } from "../../src/sys/host.ts"
import { detectCgroups } from "../../src/sys/process/cgroup.ts"

const { name: chosen, reason } = chooseRuntime(detectCgroups())

export const OCI_RUNTIMES = (["crun", "runc"] as const).map((name) => ({ name, missing: whyNot(name) }))

/** Why no container can be run by it here, or false. */
function whyNot(name: "crun" | "runc"): string | false {
  if (findProgram(name) === undefined) return `no ${name}`
  return name === "crun" && chosen !== "crun" ? reason : false
}
