import { resolve } from "node:path"
import type { ContainerOptions } from "../../container/container.ts"
import { parseSecurityOptions } from "../../spec/docker/security-option.ts"
import { atKey, cannot } from "./at-key.ts"
import { keyOf, type ServiceContext } from "./service-context.ts"

type Security = Pick<ContainerOptions, "securityOptions" | "capAdd" | "capDrop" | "privileged" | "readOnly" | "sysctls">

/** What a program may do. A profile of seccomp is named from the project's directory. Throws InvalidArgument, Unsupported. */
export function securityOptions(context: ServiceContext): Security {
  const { service, project } = context
  if (service.use_api_socket === true)
    throw cannot(
      keyOf(context, "use_api_socket"),
      "there is no daemon whose API socket a container could be given",
      "mount another engine's socket by volumes",
    )
  if (service.credential_spec !== undefined)
    throw cannot(keyOf(context, "credential_spec"), "credential specs are Windows'")
  if (service.isolation !== undefined && service.isolation !== "" && service.isolation !== "default")
    throw cannot(keyOf(context, "isolation"), `isolation "${service.isolation}" is Windows'`)
  return {
    securityOptions: (service.security_opt ?? []).map((text, index) =>
      atKey(keyOf(context, "security_opt", index), () => securityOption(text, project.workingDirectory)),
    ),
    capAdd: service.cap_add ?? [],
    capDrop: service.cap_drop ?? [],
    privileged: service.privileged === true,
    readOnly: service.read_only === true,
    sysctls: service.sysctls ?? {},
  }
}

function securityOption(text: string, directory: string): string {
  const { seccomp } = parseSecurityOptions([text])
  if (seccomp === undefined || ["unconfined", "builtin", "default"].includes(seccomp)) return text
  return `seccomp=${resolve(directory, seccomp)}`
}
