import type { ContainerOptions } from "../../container/container.ts"
import { parseRestartPolicy, type RestartPolicy } from "../../spec/docker/restart-policy.ts"
import { atKey, wrongValue } from "./at-key.ts"
import { keyOf, type ServiceContext } from "./service-context.ts"

const CONDITIONS: Readonly<Record<string, RestartPolicy["name"]>> = {
  none: "no",
  no: "no",
  "on-failure": "on-failure",
  any: "always",
  always: "always",
  "unless-stopped": "unless-stopped",
}

/** `restart`, or in its place `deploy.restart_policy`, whose `delay` and `window` are for schedulers. Throws InvalidArgument. */
export function restartOptions(context: ServiceContext): Pick<ContainerOptions, "restart"> {
  const { restart, deploy } = context.service
  const policy = deploy?.restart_policy
  if (policy !== undefined) {
    const name = CONDITIONS[policy.condition ?? "any"]
    if (name === undefined)
      throw wrongValue(
        keyOf(context, "deploy", "restart_policy", "condition"),
        `unknown condition "${policy.condition}"`,
        { valid: Object.keys(CONDITIONS) },
      )
    return { restart: { name, maximumRetryCount: name === "on-failure" ? (policy.max_attempts ?? 0) : 0 } }
  }
  if (restart === undefined || restart === "") return {}
  return { restart: atKey(keyOf(context, "restart"), () => parseRestartPolicy(restart)) }
}
