import { readFileSync } from "node:fs"
import { CString, dlopen, FFIType, read, type Pointer } from "bun:ffi"
import { rootlessUid } from "./fs/paths.ts"

const NO_LOGIN = 2 ** 32 - 1

/** The account that logged in (proc_pid_loginuid(5)): through sudo it stays who it was. Else that of this process. */
export function loginUid(): number {
  const rootless = rootlessUid()
  if (rootless !== undefined) return rootless
  try {
    const uid = Number(readFileSync("/proc/self/loginuid", "latin1"))
    return uid === NO_LOGIN ? (process.getuid?.() ?? 0) : uid
  } catch {
    return process.getuid?.() ?? 0 // a kernel without audit
  }
}

/**
 * The account's name, from wherever this host keeps accounts (getpwuid(3)); undefined for a uid that has none.
 * `os.userInfo()` of Bun says what `$USER` says, and that anybody may set.
 */
export function accountName(uid: number): string | undefined {
  const { symbols, close } = dlopen("libc.so.6", { getpwuid: { args: [FFIType.u32], returns: FFIType.ptr } })
  try {
    const passwd = symbols.getpwuid(uid)
    if (passwd === null) return undefined
    // the first field of struct passwd is the name
    return new CString(read.ptr(passwd, 0) as Pointer).toString()
  } finally {
    close()
  }
}
