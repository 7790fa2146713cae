import { existsSync, readFileSync } from "node:fs"
import { FailedPrecondition } from "../../base/errors.ts"
import { parseSecurityOptions, type SecuritySettings, type SelinuxLabel } from "../../spec/docker/security-option.ts"
import type { OciMount } from "../../spec/oci-runtime.ts"

/**
 * Whether the program and its children may gain no privilege by setuid files (`--security-opt no-new-privileges`).
 * Off by default, rootless too: with it `sudo`, `su` and `ping` of common images fail, and docker's users, rootless ones
 * included, know them to work; inside a user namespace root is the user anyway.
 */
export function noNewPrivileges(securityOptions: readonly string[]): boolean {
  return parseSecurityOptions(securityOptions).noNewPrivileges
}

/** `unconfined`, `builtin`, or the path of a profile in docker's format; undefined: the default profile. The last one counts. */
export function seccompChoice(securityOptions: readonly string[]): string | undefined {
  return parseSecurityOptions(securityOptions).seccomp
}

/** config-linux.md#masked-paths, #readonly-paths: those of every container, less and more what was asked for. */
export function guardedPaths(
  { mask, unmask }: Pick<SecuritySettings, "mask" | "unmask">,
  { masked, readonly }: { masked: readonly string[]; readonly: readonly string[] },
): { maskedPaths: string[]; readonlyPaths: string[] } {
  const patterns = unmask === "all" ? [] : unmask.map(patternOf)
  const isGuarded = (path: string): boolean => unmask !== "all" && !patterns.some((pattern) => pattern.test(path))
  return {
    maskedPaths: [...masked.filter(isGuarded), ...mask],
    readonlyPaths: readonly.filter(isGuarded),
  }
}

/** `*` is any part of one name, as a shell's. */
function patternOf(path: string): RegExp {
  const words = path.replace(/(.)\/$/, "$1").split("*")
  return new RegExp(`^${words.map((word) => RegExp.escape(word)).join("[^/]*")}$`)
}

/** The mounts with the options of /proc. Throws FailedPrecondition where /proc is the host's, as it has its options there. */
export function withProcOptions(mounts: readonly OciMount[], { procOptions }: SecuritySettings): OciMount[] {
  if (procOptions.length === 0) return [...mounts]
  return mounts.map((mount) => {
    if (mount.destination !== "/proc") return mount
    if (mount.type !== "proc")
      throw new FailedPrecondition("options of /proc cannot be set: with the host's processes it is the host's mount", {
        field: "securityOptions",
        hint: "give the container a pid namespace of its own",
      })
    return Object.assign({}, mount, { options: [...(mount.options ?? []), ...procOptions] })
  })
}

/** Where the kernel says what it enforces. */
const APPARMOR = "/sys/module/apparmor/parameters/enabled"
const SELINUX = "/sys/fs/selinux/enforce"

/** config.md#linux-process, `apparmorProfile`. Throws FailedPrecondition where the kernel has no AppArmor. */
export function apparmorProfile({ apparmor }: SecuritySettings): string | undefined {
  if (apparmor === undefined || apparmor === "unconfined") return undefined
  if (existsSync(APPARMOR) && readFileSync(APPARMOR, "latin1").startsWith("Y")) return apparmor
  throw new FailedPrecondition(`the AppArmor profile "${apparmor}" cannot be applied: this kernel has no AppArmor`, {
    field: "securityOptions",
    hint: { do: "set", field: "securityOptions", value: "apparmor=unconfined" },
  })
}

/** config.md#linux-process and config-linux.md#mount-label. Undefined where the kernel has no SELinux, as docker: nothing has labels there. */
export function selinuxLabels({ label }: SecuritySettings): { process: string; mount: string } | undefined {
  if (label === undefined || !existsSync(SELINUX)) return undefined
  return labelsOf(label)
}

/** What is not given is container-selinux's. Pure. */
export function labelsOf(label: SelinuxLabel): { process: string; mount: string } {
  const { user = "system_u", role = "system_r", type = "container_t", level = "s0" } = label
  return {
    process: `${user}:${role}:${type}:${level}`,
    mount: `${user}:object_r:${label.filetype ?? "container_file_t"}:${level}`,
  }
}
