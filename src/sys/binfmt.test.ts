import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { hostPlatform, parsePlatform } from "../spec/platform.ts"
import { runsPlatform } from "./binfmt.ts"

// as qemu-user-static registers it
const RISCV = `enabled
interpreter /usr/libexec/qemu-binfmt/riscv64-binfmt-P
flags: POCF
offset 0
magic 7f454c460201010000000000000000000200f300
mask ffffffffffffff00fffffffffffffffffeffffff
`

test("this machine runs its own programs, and those that an entry of binfmt_misc takes", () => {
  const folder = mkdtempSync(join(tmpdir(), "skiff-binfmt-"))
  try {
    const riscv = parsePlatform("linux/riscv64")
    expect(runsPlatform(hostPlatform(), folder)).toBe(true)
    expect(runsPlatform(riscv, folder)).toBe(false)
    writeFileSync(join(folder, "qemu-riscv64"), RISCV)
    expect(runsPlatform(riscv, folder)).toBe(true)
    expect(runsPlatform(parsePlatform("linux/s390x"), folder)).toBe(false)
    writeFileSync(join(folder, "qemu-riscv64"), RISCV.replace("enabled", "disabled"))
    expect(runsPlatform(riscv, folder)).toBe(false)
    expect(runsPlatform(riscv, join(folder, "absent"))).toBe(false)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
