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
  const directory = mkdtempSync(join(tmpdir(), "skiff-binfmt-"))
  try {
    const riscv = parsePlatform("linux/riscv64")
    expect(runsPlatform(hostPlatform(), directory)).toBe(true)
    expect(runsPlatform(riscv, directory)).toBe(false)
    writeFileSync(join(directory, "qemu-riscv64"), RISCV)
    expect(runsPlatform(riscv, directory)).toBe(true)
    expect(runsPlatform(parsePlatform("linux/s390x"), directory)).toBe(false)
    writeFileSync(join(directory, "qemu-riscv64"), RISCV.replace("enabled", "disabled"))
    expect(runsPlatform(riscv, directory)).toBe(false)
    expect(runsPlatform(riscv, join(directory, "absent"))).toBe(false)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
