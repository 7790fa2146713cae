import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { hostPlatform, samePlatform, compatiblePlatforms, type Platform } from "../spec/platform.ts"

/** elf(5), e_machine; by GOARCH. Those that are big-endian say so. */
const MACHINES: Readonly<Record<string, { machine: number; bits: 32 | 64; bigEndian?: boolean }>> = {
  "386": { machine: 0x03, bits: 32 },
  amd64: { machine: 0x3e, bits: 64 },
  arm: { machine: 0x28, bits: 32 },
  arm64: { machine: 0xb7, bits: 64 },
  loong64: { machine: 0x102, bits: 64 },
  mips64le: { machine: 0x08, bits: 64 },
  ppc64le: { machine: 0x15, bits: 64 },
  riscv64: { machine: 0xf3, bits: 64 },
  s390x: { machine: 0x16, bits: 64, bigEndian: true },
}

const BINFMT = "/proc/sys/fs/binfmt_misc"

/** Whether this machine runs programs of `platform`: by its processor, or by an emulator the kernel knows (binfmt-misc.rst). */
export function runsPlatform(platform: Platform, directory = BINFMT): boolean {
  const native = compatiblePlatforms(hostPlatform()).some((each) => samePlatform(each, platform))
  return native || emulators(directory).some((entry) => takes(entry, platform))
}

interface Emulator {
  offset: number
  magic: Buffer
  mask: Buffer
}

function emulators(directory: string): Emulator[] {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch {
    return [] // not mounted, or not ours to see
  }
  return names.flatMap((name) => (name === "register" || name === "status" ? [] : parseEntry(join(directory, name))))
}

function parseEntry(path: string): Emulator[] {
  let lines: string[]
  try {
    lines = readFileSync(path, "utf8").split("\n")
  } catch {
    return [] // gone meanwhile
  }
  const field = (name: string) => lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1)
  const magic = Buffer.from(field("magic") ?? "", "hex")
  if (lines[0] !== "enabled" || magic.length === 0) return []
  const mask = Buffer.from(field("mask") ?? "ff".repeat(magic.length), "hex")
  return [{ offset: Number(field("offset") ?? 0), magic, mask }]
}

/** Whether the entry matches the beginning of a program of that platform. */
function takes({ offset, magic, mask }: Emulator, { architecture }: Platform): boolean {
  const known = MACHINES[architecture]
  if (known === undefined) return false
  const { machine, bits, bigEndian = false } = known
  const head = Buffer.alloc(offset + magic.length)
  const elf = Buffer.from([0x7f, 0x45, 0x4c, 0x46, bits / 32, bigEndian ? 2 : 1, 1, ...Array<number>(13).fill(0)])
  const write = (value: number, at: number) => (bigEndian ? elf.writeUInt16BE(value, at) : elf.writeUInt16LE(value, at))
  // e_type: an executable
  write(2, 16)
  write(machine, 18)
  elf.copy(head)
  return magic.every((byte, index) => {
    const bit = mask[index] ?? 0xff
    return ((head[offset + index] ?? 0) & bit) === (byte & bit)
  })
}
