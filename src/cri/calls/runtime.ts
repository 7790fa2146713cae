/** Of the runtime itself: version, state, configuration. */
import { isIP } from "node:net"
import { InvalidArgument, isSkiffError } from "../../base/errors.ts"
import { VERSION } from "../../base/version.ts"
import { canRestrictAll } from "../../sys/fs/mount.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import { detectCgroups } from "../../sys/process/cgroup.ts"
import type { CriContext } from "../context.ts"
import type { RuntimeServiceCalls } from "../protocol/messages.ts"
import type { Handlers, Sent } from "../protocol/service.ts"
import type { RuntimeHandler } from "../protocol/messages.ts"

type Calls = Handlers<Pick<RuntimeServiceCalls, "Version" | "Status" | "RuntimeConfig" | "UpdateRuntimeConfig">>

/** The network that kubelet's range of addresses is given to. */
export const POD_NETWORK = "kube-pods"
/** By name, as pods may ask for them (RuntimeClass). */
const RUNTIMES = ["crun", "runc"]

/** Names that a sandbox may ask for. Throws InvalidArgument. */
export function checkHandler(name: string): void {
  if (name !== "" && !RUNTIMES.includes(name))
    throw new InvalidArgument(`unknown runtime handler "${name.slice(0, 100)}"`, {
      field: "runtime_handler",
      hint: { valid: RUNTIMES },
    })
}

export function runtimeCalls({ engine }: CriContext): Calls {
  return {
    async Version() {
      return {
        version: "0.1.0",
        runtime_name: "skiff",
        runtime_version: VERSION,
        runtime_api_version: "v1",
      }
    },

    async Status({ verbose }) {
      const [runtime, network] = [await condition("RuntimeReady", () => engine.info()), await networkCondition(engine)]
      const features = { recursive_read_only_mounts: canRestrictAll(), user_namespaces: rootlessUid() === undefined }
      const handlers: Sent<RuntimeHandler>[] = ["", ...RUNTIMES].map((name) => ({ name, features }))
      return {
        status: { conditions: [runtime, network] },
        runtime_handlers: handlers,
        features: { supplemental_groups_policy: true, user_namespaces_host_network: false },
        ...(verbose && { info: { config: JSON.stringify(await engine.info()) } }),
      }
    },

    async RuntimeConfig() {
      return { linux: { cgroup_driver: detectCgroups().manager === "systemd" ? "SYSTEMD" : "CGROUPFS" } }
    },

    async UpdateRuntimeConfig({ runtime_config }) {
      const ranges = (runtime_config?.network_config?.pod_cidr ?? "").split(",").filter((text) => text !== "")
      if (ranges.length === 0) return {}
      // before the network that there is goes for it
      for (const range of ranges) checkRange(range)
      const networks = await engine.networks()
      const subnet = ranges.find((range) => !range.includes(":"))
      const subnet6 = ranges.find((range) => range.includes(":"))
      const known = networks.list().find(({ name }) => name === POD_NETWORK)
      if (known !== undefined && known.subnet === subnet && (subnet6 === undefined || known.subnet6 === subnet6))
        return {}
      // a range that changes while pods have addresses of the old one is refused by the removal
      if (known !== undefined) await networks.remove(known)
      await networks.create({
        name: POD_NETWORK,
        ...(subnet !== undefined && { subnet }),
        ...(subnet6 === undefined ? { ipv6: false } : { subnet6 }),
        options: { dns: { disabled: true } },
      })
      return {}
    },
  }
}

/** Throws InvalidArgument. */
function checkRange(range: string): void {
  const [address = "", prefix = "", ...rest] = range.split("/")
  const bits = { 4: 32, 6: 128 }[isIP(address)]
  if (bits === undefined || !/^\d{1,3}$/.test(prefix) || Number(prefix) > bits || rest.length > 0)
    throw new InvalidArgument(`invalid range of addresses "${range.slice(0, 100)}"`, {
      field: "pod_cidr",
      hint: "such as 10.244.1.0/24",
    })
}

type Condition = { type: string; status: boolean; reason: string; message: string }

async function condition(type: string, look: () => Promise<unknown>): Promise<Condition> {
  try {
    await look()
    return { type, status: true, reason: "", message: "" }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { type, status: false, reason: isSkiffError(error) ? error.code : "Failed", message }
  }
}

async function networkCondition(engine: CriContext["engine"]): Promise<Condition> {
  return condition("NetworkReady", async () => (await engine.networks()).list())
}
