import { posix } from "node:path"
import type {
  AppArmorProfile,
  Container,
  PodSecurityContext,
  SeccompProfile,
  SecurityContext,
  SELinuxOptions,
} from "kubernetes-types/core/v1"
import type { ContainerOptions } from "../../container/container.ts"
import type { ImageRunConfig } from "../../spec/oci-image.ts"
import { fieldFault, type Warnings } from "./field-fault.ts"

const MAX_ID = 2 ** 31 - 1

/** What a container's security is made of. */
export interface SecurityInput {
  container: Container
  path: string
  pod: PodSecurityContext
  annotations: Readonly<Record<string, string>>
  image: ImageRunConfig | undefined
  /** Where profiles of seccomp lie. */
  seccompRoot: string
  warnings: Warnings
}

/**
 * Users, groups, capabilities and profiles of a container: its own go before the pod's. Throws InvalidArgument for what Windows alone has,
 * for a root user where `runAsNonRoot` is set, and for a profile outside of its directory. Pure.
 */
export function securityOptions(
  input: SecurityInput,
): Pick<
  ContainerOptions,
  "user" | "groupAdd" | "imageGroups" | "capAdd" | "capDrop" | "privileged" | "readOnly" | "securityOptions" | "tree"
> {
  const { container, pod, path } = input
  const own = container.securityContext ?? {}
  if (own.windowsOptions || pod.windowsOptions)
    throw fieldFault(`${own.windowsOptions ? path : "spec"}.securityContext.windowsOptions`, "this node runs Linux")
  const user = userOf(own, pod, path)
  checkNonRoot(input, user)
  const { add, drop } = own.capabilities ?? {}
  const groups = groupsOf(pod)
  const { supplementalGroupsPolicy } = pod as { supplementalGroupsPolicy?: string }
  return {
    ...(user !== undefined && { user: user.text(input.image) }),
    ...(groups.length > 0 && { groupAdd: groups }),
    // what the image's /etc/group gives its user is more than was said
    ...(supplementalGroupsPolicy === "Strict" && { imageGroups: "never" as const }),
    ...(add && add.length > 0 && { capAdd: add }),
    ...(drop && drop.length > 0 && { capDrop: drop }),
    ...(own.privileged && { privileged: true }),
    ...(own.readOnlyRootFilesystem && { readOnly: true, tree: { readOnlyTmpfs: true } }),
    securityOptions: words(input, own),
  }
}

interface RunAs {
  uid: number | undefined
  text(image: ImageRunConfig | undefined): string
}

/** With a group alone, the user is the image's. */
function userOf(own: SecurityContext, pod: PodSecurityContext, path: string): RunAs | undefined {
  const uid = own.runAsUser ?? pod.runAsUser
  const gid = own.runAsGroup ?? pod.runAsGroup
  checkId(uid, `${path}.securityContext.runAsUser`)
  checkId(gid, `${path}.securityContext.runAsGroup`)
  if (uid === undefined && gid === undefined) return undefined
  return {
    uid,
    text(image) {
      const name = uid ?? (image?.User?.split(":", 1)[0] || "0")
      return gid === undefined ? `${name}` : `${name}:${gid}`
    },
  }
}

function checkId(id: number | undefined, path: string): void {
  if (id !== undefined && (id < 0 || id > MAX_ID)) throw fieldFault(path, `${id} is no id`, `expected 0 to ${MAX_ID}`)
}

/** kubelet's rule: a name says nothing of a number. */
function checkNonRoot({ container, pod, path, image }: SecurityInput, user: RunAs | undefined): void {
  const isAsked = container.securityContext?.runAsNonRoot ?? pod.runAsNonRoot ?? false
  if (!isAsked) return
  const field = `${path}.securityContext.runAsNonRoot`
  if (user?.uid === 0) throw fieldFault(field, "container's runAsUser breaks non-root policy")
  if (user?.uid !== undefined) return
  const name = image?.User?.split(":", 1)[0] || "0"
  if (/^0+$/.test(name) || name === "root")
    throw fieldFault(field, "container has runAsNonRoot and image will run as root", "set runAsUser")
  if (!/^\d+$/.test(name))
    throw fieldFault(
      field,
      `container has runAsNonRoot and image has non-numeric user (${name.slice(0, 60)}), cannot verify user is non-root`,
      "set runAsUser",
    )
}

function groupsOf({ supplementalGroups = [], fsGroup }: PodSecurityContext): string[] {
  for (const [index, id] of supplementalGroups.entries())
    checkId(id, `spec.securityContext.supplementalGroups[${index}]`)
  checkId(fsGroup, "spec.securityContext.fsGroup")
  return [...new Set([...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])])].map(String)
}

/** Docker's `--security-opt` words. */
function words(input: SecurityInput, own: SecurityContext): string[] {
  const { pod, path, container, annotations } = input
  const seccomp = seccompOf(input, own)
  const apparmor =
    apparmorOf(own.appArmorProfile, `${path}.securityContext`) ??
    apparmorOf(pod.appArmorProfile, "spec.securityContext") ??
    apparmorAnnotation(annotations[`container.apparmor.security.beta.kubernetes.io/${container.name}`])
  return [
    ...(own.allowPrivilegeEscalation === false ? ["no-new-privileges"] : []),
    ...(own.procMount === "Unmasked" ? ["unmask=all"] : []),
    ...(seccomp === undefined ? [] : [`seccomp=${seccomp}`]),
    ...(apparmor === undefined ? [] : [`apparmor=${apparmor}`]),
    ...labelsOf(own.seLinuxOptions ?? pod.seLinuxOptions, `${path}.securityContext.seLinuxOptions`),
  ]
}

function labelsOf(options: (SELinuxOptions & { filetype?: string }) | undefined, path: string): string[] {
  const { user, role, type, level, filetype } = options ?? {}
  return Object.entries({ user, role, type, level, filetype }).flatMap(([key, value]) => {
    if (!value) return []
    if (!/^[\w.:,-]+$/.test(value)) throw fieldFault(`${path}.${key}`, `"${value.slice(0, 60)}" is no part of a label`)
    return [`label=${key}:${value}`]
  })
}

/** Undefined: the engine's own filter, as podman's default; Kubernetes' would be none. */
function seccompOf(
  { pod, path, container, annotations, seccompRoot }: SecurityInput,
  own: SecurityContext,
): string | undefined {
  const profile = (one: SeccompProfile, field: string): string | undefined => {
    if (one.type === "Unconfined") return "unconfined"
    if (one.type === "RuntimeDefault") return undefined
    if (one.type === "Localhost") return localProfile(one.localhostProfile, seccompRoot, field)
    throw fieldFault(
      `${field}.type`,
      `"${(one.type ?? "").slice(0, 60)}" is none of Unconfined, RuntimeDefault and Localhost`,
    )
  }
  if (own.seccompProfile) return profile(own.seccompProfile, `${path}.securityContext.seccompProfile`)
  if (pod.seccompProfile) return profile(pod.seccompProfile, "spec.securityContext.seccompProfile")
  const key = `container.seccomp.security.alpha.kubernetes.io/${container.name}`
  const word = annotations[key] ?? annotations["seccomp.security.alpha.kubernetes.io/pod"]
  if (word === undefined || word === "runtime/default" || word === "docker/default") return undefined
  if (word === "unconfined") return word
  const [, file] = /^localhost\/(.+)$/.exec(word) ?? []
  if (file === undefined) throw fieldFault("metadata.annotations", `invalid seccomp path: ${word.slice(0, 100)}`)
  return localProfile(file, seccompRoot, "metadata.annotations")
}

function localProfile(file: string | undefined, root: string, path: string): string {
  const isInside = file !== undefined && file !== "" && !posix.isAbsolute(file) && !file.split("/").includes("..")
  if (!isInside || file.includes("\0"))
    throw fieldFault(`${path}.localhostProfile`, `"${(file ?? "").slice(0, 100)}" is no path below ${root}`)
  return posix.join(root, file)
}

function apparmorOf(profile: AppArmorProfile | undefined, path: string): string | undefined {
  if (profile === undefined || profile.type === "RuntimeDefault") return undefined
  if (profile.type === "Unconfined") return "unconfined"
  if (profile.type === "Localhost" && profile.localhostProfile && /^[\w./:-]+$/.test(profile.localhostProfile))
    return profile.localhostProfile
  throw fieldFault(`${path}.appArmorProfile`, "names no profile")
}

function apparmorAnnotation(word: string | undefined): string | undefined {
  if (word === undefined || word === "runtime/default") return undefined
  return word === "unconfined" ? word : word.replace(/^localhost\//, "")
}
