import type { SeccompTarget } from "./seccomp-target.ts"
import { mkdirSync, readFileSync, statSync } from "node:fs"
import { release } from "node:os"
import { dirname, join } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import { installCommand } from "../../sys/install-command.ts"
import type { OciSeccomp, OciSyscall, OciSyscallArg } from "../../spec/oci-runtime.ts"
import { CAPABILITIES } from "./capabilities.ts"
import { tighten } from "./seccomp-tighten.ts"

/** The distribution's data: Docker's profile format, kept up to date by the Debian package containers-common. */
export const DEFAULT_PROFILE = "/usr/share/containers/seccomp.json"

interface Condition {
  caps?: string[]
  arches?: string[]
  minKernel?: string
}

interface ProfileRule {
  name?: string
  names?: string[]
  action: string
  errnoRet?: number
  args?: OciSyscallArg[] | null
  includes?: Condition
  excludes?: Condition
}

interface Profile {
  defaultAction: string
  defaultErrnoRet?: number
  architectures?: string[]
  archMap?: { architecture: string; subArchitectures?: string[] | null }[]
  flags?: string[]
  syscalls?: ProfileRule[]
}

const GO_ARCHITECTURES: Record<string, string> = { x64: "amd64", arm64: "arm64" }
const SECCOMP_ARCHITECTURES: Record<string, string> = { amd64: "SCMP_ARCH_X86_64", arm64: "SCMP_ARCH_AARCH64" }
const MAX_PROFILE_BYTES = 1024 * 1024
/** Grows when `resolveProfile` or `tighten` give something else for the same input. */
const COMPILER_VERSION = 1

/** For which capabilities, processor and kernel a profile is compiled here. */
export function hostTarget(capabilities: readonly string[], uses32BitSockets = false): SeccompTarget {
  const [major = 0, minor = 0] = release().split(".").map(Number)
  const architecture = GO_ARCHITECTURES[process.arch] ?? process.arch
  return { capabilities, architecture, kernel: [major, minor], uses32BitSockets }
}

/**
 * The default profile for a container, tightened, from `cacheDirectory` when it was compiled before: reading it takes a
 * tenth of a millisecond, compiling two. Throws FailedPrecondition when the distribution's data is missing.
 */
export function defaultSeccomp(
  target: SeccompTarget,
  cacheDirectory: string,
  profilePath = DEFAULT_PROFILE,
): { rules: OciSeccomp; key: string } {
  const key = cacheKey(target, profilePath)
  const cached = join(cacheDirectory, `${key}.json`)
  try {
    return { key, rules: JSON.parse(readFileSync(cached, "utf8")) as OciSeccomp }
  } catch {
    // not compiled yet
  }
  const compiled = tighten(resolveProfile(readProfile(profilePath), target), target)
  mkdirSync(dirname(cached), { recursive: true, mode: 0o700 })
  atomicWrite(cached, JSON.stringify(compiled))
  return { key, rules: compiled }
}

/** A profile of the user's own (`--security-opt seccomp=FILE`), in docker's format, as it is. */
export function customSeccomp(target: SeccompTarget, path: string): OciSeccomp {
  return resolveProfile(readProfile(path), target)
}

/** One that an image brings, where its user said that it shall count. */
export function imageSeccomp(target: SeccompTarget, text: string): OciSeccomp {
  if (text.length > MAX_PROFILE_BYTES) throw new InvalidArgument("the image's seccomp profile is too large")
  return resolveProfile(parseProfile(text, "of the image"), target)
}

function cacheKey({ capabilities, architecture, kernel, uses32BitSockets }: SeccompTarget, path: string): string {
  let mask = 0n
  CAPABILITIES.forEach((name, bit) => (mask |= capabilities.includes(name) ? 1n << BigInt(bit) : 0n))
  let stat
  try {
    stat = statSync(path)
  } catch (cause) {
    throw missing(path, cause)
  }
  return [
    `v${COMPILER_VERSION}`,
    stat.mtimeMs.toString(36),
    stat.size.toString(36),
    mask.toString(36),
    architecture,
    kernel.join("."),
    ...(uses32BitSockets ? ["socketcall"] : []),
  ].join("-")
}

function missing(path: string, cause: unknown): FailedPrecondition {
  return new FailedPrecondition(`the default seccomp profile "${path}" is missing`, {
    hint: [
      `install it: ${installCommand({ debian: "golang-github-containers-common" })}`,
      { do: "set", field: "securityOptions", value: "seccomp=unconfined" },
    ],
    cause,
  })
}

function readProfile(path: string): Profile {
  let text: string
  try {
    if (statSync(path).size > MAX_PROFILE_BYTES) throw new RangeError(`larger than ${MAX_PROFILE_BYTES} bytes`)
    text = readFileSync(path, "utf8")
  } catch (cause) {
    if (path === DEFAULT_PROFILE) throw missing(path, cause)
    throw new InvalidArgument(`cannot read the seccomp profile "${path}"`, { field: "securityOptions", cause })
  }
  return parseProfile(text, `"${path}"`)
}

function parseProfile(text: string, which: string): Profile {
  try {
    return JSON.parse(text) as Profile
  } catch (cause) {
    throw new InvalidArgument(`the seccomp profile ${which} is not JSON`, { field: "securityOptions", cause })
  }
}

/** Keeps the rules that apply to `target` and gives them in the runtime-spec's form. Pure. Throws InvalidArgument. */
export function resolveProfile(profile: Profile, target: SeccompTarget): OciSeccomp {
  if (!/^SCMP_ACT_[A-Z_]+$/.test(profile?.defaultAction) || !Array.isArray(profile.syscalls))
    throw new InvalidArgument("this is not a seccomp profile", {
      hint: `expected docker's format, as ${DEFAULT_PROFILE}`,
    })
  const native = SECCOMP_ARCHITECTURES[target.architecture] ?? ""
  const mapped = profile.archMap?.find((entry) => entry.architecture === native)
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet !== undefined && { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: mapped ? [native, ...(mapped.subArchitectures ?? [])] : (profile.architectures ?? [native]),
    ...(profile.flags && { flags: profile.flags }),
    syscalls: profile.syscalls.filter((rule) => applies(rule, target)).map(toSyscall),
  }
}

function applies({ includes = {}, excludes = {} }: ProfileRule, target: SeccompTarget): boolean {
  const { capabilities, architecture, kernel } = target
  if (includes.arches?.length && !includes.arches.includes(architecture)) return false
  if (includes.caps?.some((cap) => !capabilities.includes(cap))) return false
  if (includes.minKernel && !isAtLeast(kernel, includes.minKernel)) return false
  if (excludes.arches?.includes(architecture)) return false
  if (excludes.caps?.some((cap) => capabilities.includes(cap))) return false
  return !(excludes.minKernel && isAtLeast(kernel, excludes.minKernel))
}

function isAtLeast([major, minor]: readonly [number, number], wanted: string): boolean {
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split(".").map(Number)
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

function toSyscall(rule: ProfileRule): OciSyscall {
  return {
    names: rule.names ?? (rule.name === undefined ? [] : [rule.name]),
    action: rule.action,
    ...(rule.errnoRet !== undefined && { errnoRet: rule.errnoRet }),
    ...(rule.args?.length && { args: rule.args }),
  }
}
