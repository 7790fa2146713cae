import { InvalidArgument } from "../../base/errors.ts"

/** What a list of `--security-opt` says. */
export interface SecuritySettings {
  /** Setuid files and file capabilities give no privilege. */
  noNewPrivileges: boolean
  /** `unconfined`, `builtin`, or the path of a profile in docker's format. Undefined: the default. */
  seccomp?: string
  /** A profile that the host has loaded, or `unconfined`. */
  apparmor?: string
  /** Parts of an SELinux label; undefined: none is given. */
  label?: SelinuxLabel
  /** Paths hidden besides the usual ones. */
  mask: readonly string[]
  /** Paths, with `*`, that are neither hidden nor read-only; `all`: of the usual ones every one. */
  unmask: readonly string[] | "all"
  /** Mount options of /proc: `hidepid=2`. */
  procOptions: readonly string[]
  /** The cgroup file system may be written. */
  writableCgroups: boolean
}

/** The parts of `user:role:type:level` that are given. */
export interface SelinuxLabel {
  user?: string
  role?: string
  type?: string
  level?: string
  /** Of the files. */
  filetype?: string
}

const KINDS = [
  "no-new-privileges[=true|false]",
  "seccomp=unconfined|builtin|FILE",
  "apparmor=PROFILE|unconfined",
  "label=disable|nested|user:|role:|type:|level:|filetype:",
  "mask=PATH[:PATH]",
  "unmask=ALL|PATH[:PATH]",
  "proc-opts=OPTION[,OPTION]",
  "systempaths=unconfined",
  "writable-cgroups=true|false",
]

/** Parses all that docker and podman document; `:` and `=` mean the same after the name. Pure. Throws InvalidArgument. */
export function parseSecurityOptions(options: readonly string[]): SecuritySettings {
  const mask: string[] = []
  const procOptions: string[] = []
  let unmask: string[] | "all" = []
  const settings: Omit<SecuritySettings, "mask" | "unmask" | "procOptions"> = {
    noNewPrivileges: false,
    writableCgroups: false,
  }
  for (const option of options) {
    const [, name = "", value] = /^([a-z-]+)(?:[=:](.*))?$/s.exec(option) ?? []
    switch (name) {
      case "no-new-privileges":
        settings.noNewPrivileges = booleanOf(option, value ?? "true")
        break
      case "writable-cgroups":
        settings.writableCgroups = booleanOf(option, value ?? "true")
        break
      case "seccomp":
        settings.seccomp = needed(option, value)
        break
      case "apparmor":
        settings.apparmor = matching(option, value, /^[\w./:-]+$/)
        break
      case "label":
        settings.label = withLabel(option, settings.label, needed(option, value))
        break
      case "mask":
        mask.push(...pathsOf(option, value))
        break
      case "unmask":
        if (value?.toLowerCase() === "all") unmask = "all"
        else if (unmask !== "all") unmask.push(...pathsOf(option, value))
        break
      case "systempaths":
        if (value !== "unconfined") throw invalid(option)
        unmask = "all"
        break
      case "proc-opts":
        procOptions.push(...matching(option, value, /^[a-z]+=?[\w-]*(?:,[a-z]+=?[\w-]*)*$/).split(","))
        break
      default:
        throw invalid(option)
    }
  }
  return { ...settings, mask, unmask, procOptions }
}

function withLabel(option: string, label: SelinuxLabel = {}, value: string): SelinuxLabel | undefined {
  if (value === "disable" || value === "nested") return undefined
  const [, part, word = ""] = /^(user|role|type|level|filetype):([\w.:,-]+)$/.exec(value) ?? []
  if (part === undefined) throw invalid(option)
  return { ...label, [part]: word }
}

/** Absolute, and clean: `..` would mean another path than the one that is read. */
function pathsOf(option: string, value: string | undefined): string[] {
  const paths = needed(option, value).split(":")
  for (const path of paths)
    if (!path.startsWith("/") || path.split("/").includes("..") || path === "/" || path.includes("\0"))
      throw new InvalidArgument(`invalid security option "${option}": "${path}" is no absolute path`, {
        field: "securityOptions",
      })
  return paths
}

function booleanOf(option: string, value: string): boolean {
  if (value !== "true" && value !== "false") throw invalid(option)
  return value === "true"
}

function needed(option: string, value: string | undefined): string {
  if (value === undefined || value === "") throw invalid(option)
  return value
}

function matching(option: string, value: string | undefined, pattern: RegExp): string {
  const text = needed(option, value)
  if (!pattern.test(text)) throw invalid(option)
  return text
}

function invalid(option: string): InvalidArgument {
  return new InvalidArgument(`invalid security option "${option}"`, {
    field: "securityOptions",
    hint: { valid: KINDS },
  })
}
