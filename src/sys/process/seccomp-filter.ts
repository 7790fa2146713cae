/** Filters of system calls by libseccomp, which has their numbers; loaded when asked for, and not found on every host. */
import { dlopen, FFIType } from "bun:ffi"
import { SystemError } from "../libc.ts"

/** As runtime-spec config-linux.md#seccomp has it. */
export interface FilterProfile {
  defaultAction: string
  defaultErrnoRet?: number
  architectures: readonly string[]
  syscalls: readonly FilterRule[]
}

/** A rule of a seccomp profile, as config.json has it (runtime-spec config-linux.md#seccomp). */
export interface FilterRule {
  names: readonly string[]
  action: string
  errnoRet?: number
  args?: readonly { index: number; value: number; valueTwo?: number; op: string }[]
}

type Comparison = NonNullable<FilterRule["args"]>[number]

const i32 = FFIType.i32
const u32 = FFIType.u32
const EPERM = 1
const EEXIST = 17
const EDOM = 33
const NO_SUCH_CALL = -1
const CTL_NO_NEW_PRIVILEGES = 3
const COMPARISON_BYTES = 24 // struct scmp_arg_cmp
const OPERATORS = ["", "NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"].map((name) => `SCMP_CMP_${name}`)
const ACTIONS: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
}

/** Whether there is a libseccomp. Loads it: to be called before a root is entered that others have filled. */
export function canFilter(): boolean {
  return library() !== undefined
}

/**
 * Loads the filter for this thread and what it becomes. Needs CAP_SYS_ADMIN over its user namespace, and sets no
 * no_new_privs. Throws SystemError, and RangeError for an action that only a supervisor could answer.
 */
export function loadFilter(profile: FilterProfile): void {
  const seccomp = library()
  if (seccomp === undefined) throw new SystemError("dlopen", 2, "libseccomp.so.2")
  const context = seccomp.seccomp_init(actionOf(profile.defaultAction, profile.defaultErrnoRet))
  if (!context) throw new SystemError("seccomp_init", 22, profile.defaultAction)
  try {
    must(seccomp.seccomp_attr_set(context, CTL_NO_NEW_PRIVILEGES, 0), "seccomp_attr_set")
    for (const name of profile.architectures) {
      const token = seccomp.seccomp_arch_resolve_name(text(name.replace("SCMP_ARCH_", "").toLowerCase()))
      must(seccomp.seccomp_arch_add(context, token), "seccomp_arch_add", EEXIST, EDOM)
    }
    for (const rule of profile.syscalls) addRule(seccomp, context, rule, profile)
    must(seccomp.seccomp_load(context), "seccomp_load")
  } finally {
    seccomp.seccomp_release(context)
  }
}

function must(result: number, name: string, ...allowed: number[]): void {
  if (result < 0 && !allowed.includes(-result)) throw new SystemError(name, -result, "")
}

function addRule(seccomp: Library, context: Context, rule: FilterRule, profile: FilterProfile): void {
  const action = actionOf(rule.action, rule.errnoRet)
  if (action === actionOf(profile.defaultAction, profile.defaultErrnoRet)) return
  for (const name of rule.names) {
    const number = seccomp.seccomp_syscall_resolve_name(text(name))
    if (number === NO_SUCH_CALL) continue
    for (const comparisons of alternatives(rule.args ?? [])) {
      const list = encode(comparisons)
      const result = seccomp.seccomp_rule_add_array(context, action, number, comparisons.length, list)
      // as runc: of two rules for one call the first holds
      if (result < 0 && ![EPERM, EEXIST].includes(-result)) throw new SystemError("seccomp_rule_add", -result, name)
    }
  }
}

/** Conditions on different arguments hold together; of several on one argument (as runc) any. */
function alternatives(comparisons: readonly Comparison[]): (readonly Comparison[])[] {
  const isRepeated = new Set(comparisons.map(({ index }) => index)).size < comparisons.length
  return isRepeated ? comparisons.map((one) => [one]) : [comparisons]
}

function encode(comparisons: readonly Comparison[]): Uint8Array {
  const bytes = Buffer.alloc(Math.max(1, comparisons.length) * COMPARISON_BYTES)
  comparisons.forEach(({ index, value, valueTwo = 0, op }, position) => {
    const at = position * COMPARISON_BYTES
    bytes.writeUInt32LE(index, at)
    bytes.writeInt32LE(OPERATORS.indexOf(op), at + 4)
    bytes.writeBigUInt64LE(BigInt(value), at + 8)
    bytes.writeBigUInt64LE(BigInt(valueTwo), at + 16)
  })
  return bytes
}

function actionOf(name: string, errno = EPERM): number {
  const action = ACTIONS[name]
  if (action === undefined) throw new RangeError(`the seccomp action ${name} is not known here`)
  return name === "SCMP_ACT_ERRNO" ? action + errno : action
}

const text = (value: string): Uint8Array => Buffer.from(`${value}\0`, "latin1")

type Context = Parameters<Library["seccomp_load"]>[0]
type Library = NonNullable<ReturnType<typeof open>>
let opened: { library: Library | undefined } | undefined

function library(): Library | undefined {
  return (opened ??= { library: open() }).library
}

function open() {
  try {
    const pointer = FFIType.ptr
    return dlopen("libseccomp.so.2", {
      seccomp_init: { args: [u32], returns: pointer },
      seccomp_release: { args: [pointer], returns: FFIType.void },
      seccomp_attr_set: { args: [pointer, i32, u32], returns: i32 },
      seccomp_arch_resolve_name: { args: [pointer], returns: u32 },
      seccomp_arch_add: { args: [pointer, u32], returns: i32 },
      seccomp_syscall_resolve_name: { args: [pointer], returns: i32 },
      seccomp_rule_add_array: { args: [pointer, u32, i32, u32, pointer], returns: i32 },
      seccomp_load: { args: [pointer], returns: i32 },
    }).symbols
  } catch {
    return undefined
  }
}
