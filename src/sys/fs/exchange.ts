import { AT_FDCWD, check, cString, libc } from "../libc.ts"

const RENAME_EXCHANGE = 2

/** renameat2(2): each path is then what the other was, in one step that nobody sees half of. Throws SystemError. */
export function exchange(one: string, other: string): void {
  const [first, second] = [cString(one), cString(other)]
  check(libc.renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE), "exchange", `${one} and ${other}`)
}
