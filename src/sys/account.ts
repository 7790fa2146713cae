import { CString, dlopen, FFIType, read, type Pointer } from "bun:ffi"

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
