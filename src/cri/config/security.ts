/** The security context of a container. */
import { InvalidArgument } from "../../base/errors.ts"
import type { ContainerOptions } from "../../container/container.ts"
import type { LinuxContainerSecurityContext, SecurityProfile, SELinuxOption } from "../protocol/messages.ts"

type Security = Pick<
  ContainerOptions,
  | "user"
  | "groupAdd"
  | "imageGroups"
  | "readOnly"
  | "privileged"
  | "capAdd"
  | "capDrop"
  | "securityOptions"
  | "security"
>

/** As the engine knows it. Throws InvalidArgument. Pure. */
export function securityOf(given: LinuxContainerSecurityContext | null): Security {
  if (given === null) return { securityOptions: ["seccomp=unconfined"] }
  const { capabilities, privileged } = given
  return {
    ...userOf(given),
    readOnly: given.readonly_rootfs,
    privileged,
    capAdd: [...(capabilities?.add_capabilities ?? []), ...(capabilities?.add_ambient_capabilities ?? [])],
    capDrop: [...(capabilities?.drop_capabilities ?? [])],
    securityOptions: [
      ...(given.no_new_privs ? ["no-new-privileges"] : []),
      ...seccompOf(given),
      ...apparmorOf(given),
      ...selinuxOf(given.selinux_options),
    ],
    security: {
      // what is not named is not hidden: kubelet names the usual ones
      ...(!privileged && { maskedPaths: given.masked_paths, readonlyPaths: given.readonly_paths }),
      ...(capabilities !== null && capabilities.add_ambient_capabilities.length > 0
        ? { ambientCapabilities: capabilities.add_ambient_capabilities }
        : {}),
    },
  }
}

function userOf(given: LinuxContainerSecurityContext): Pick<Security, "user" | "groupAdd" | "imageGroups"> {
  const { run_as_user: user, run_as_username: name, run_as_group: group } = given
  if (user !== null && name !== "")
    throw new InvalidArgument(`a user is given by number and by name: ${user.value} and "${name.slice(0, 100)}"`, {
      field: "run_as_username",
    })
  if (group !== null && user === null && name === "")
    throw new InvalidArgument("a group without a user: run_as_group needs run_as_user or run_as_username", {
      field: "run_as_group",
    })
  if (name.includes(":")) throw new InvalidArgument(`invalid user name "${name}"`, { field: "run_as_username" })
  const who = user === null ? name : user.value
  return {
    ...(who !== "" && { user: group === null ? who : `${who}:${group.value}` }),
    groupAdd: given.supplemental_groups.map(String),
    imageGroups: given.supplemental_groups_policy === "Strict" ? "never" : "always",
  }
}

/** Without a word of it, unconfined: so the protocol says. A privileged container has none. */
function seccompOf({ seccomp, seccomp_profile_path: path, privileged }: LinuxContainerSecurityContext): string[] {
  if (privileged) return ["seccomp=unconfined"]
  const profile = seccomp ?? profileOf(path)
  if (profile.profile_type === "RuntimeDefault") return []
  if (profile.profile_type === "Unconfined") return ["seccomp=unconfined"]
  return [`seccomp=${localPath(profile.localhost_ref)}`]
}

/** The text of earlier versions. */
function profileOf(text: string): SecurityProfile {
  if (text === "" || text === "unconfined") return { profile_type: "Unconfined", localhost_ref: "" }
  if (text === "runtime/default" || text === "docker/default")
    return { profile_type: "RuntimeDefault", localhost_ref: "" }
  if (text.startsWith("localhost/"))
    return { profile_type: "Localhost", localhost_ref: text.slice("localhost/".length) }
  throw new InvalidArgument(`invalid seccomp profile "${text.slice(0, 200)}"`, {
    field: "seccomp_profile_path",
    hint: { valid: ["runtime/default", "unconfined", "localhost/PATH"] },
  })
}

function localPath(path: string): string {
  if (path.startsWith("/") && !/[\n\0]/.test(path)) return path
  throw new InvalidArgument(`the seccomp profile "${path.slice(0, 200)}" is no absolute path`, { field: "seccomp" })
}

/** The runtime's own is none here. Where one is asked for by name, it is that one or an error. Throws InvalidArgument. */
function apparmorOf({ apparmor, apparmor_profile: text, privileged }: LinuxContainerSecurityContext): string[] {
  if (privileged) return []
  const profile: SecurityProfile = apparmor ?? appArmorOfText(text)
  if (profile.profile_type === "RuntimeDefault") return []
  if (profile.profile_type === "Unconfined") return ["apparmor=unconfined"]
  // one that is not named would be none at all
  if (!/^[!-~]+$/.test(profile.localhost_ref))
    throw new InvalidArgument(`invalid AppArmor profile "${profile.localhost_ref.slice(0, 200)}"`, {
      field: "apparmor.localhost_ref",
    })
  return [`apparmor=${profile.localhost_ref}`]
}

/** The text of earlier versions. */
function appArmorOfText(text: string): SecurityProfile {
  if (text === "" || text === "runtime/default") return { profile_type: "RuntimeDefault", localhost_ref: "" }
  if (text === "unconfined") return { profile_type: "Unconfined", localhost_ref: "" }
  return { profile_type: "Localhost", localhost_ref: text.replace(/^localhost\//, "") }
}

function selinuxOf(given: SELinuxOption | null): string[] {
  return Object.entries(given ?? {}).flatMap(([part, word]) => (word === "" ? [] : [`label=${part}:${word}`]))
}
