/** What the head of a program's file says of where it can run (elf(5)). Hostile bytes: nothing is trusted but its own bounds. */

/** As GOARCH names them, by `e_machine`. */
const MACHINES: Readonly<Record<number, string>> = {
  0x03: "386",
  0x08: "mips64le",
  0x15: "ppc64le",
  0x16: "s390x",
  0x28: "arm",
  0x3e: "amd64",
  0xb7: "arm64",
  0xf3: "riscv64",
  0x102: "loong64",
}
const MAGIC = Buffer.from("\x7fELF", "latin1")
const PT_INTERP = 3
const MAX_HEADERS = 64
const MAX_PATH = 4096

/** The parts of an ELF head that decide whether it can be run. */
export interface ElfHead {
  /** GOARCH; `machine 0x…` for one without a name here. */
  architecture: string
  /** The dynamic loader that the kernel starts in its place; undefined for a static program. */
  interpreter?: string
}

/** Reads the head of an ELF file; undefined when it is none. `read` gives at most `size` bytes from `offset`. */
export function readElf(read: (offset: number, size: number) => Buffer): ElfHead | undefined {
  const head = read(0, 64)
  if (head.length < 52 || !head.subarray(0, 4).equals(MAGIC)) return undefined
  const is64 = head[4] === 2
  const isBig = head[5] === 2
  const short = (bytes: Buffer, at: number): number => (isBig ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at))
  const word = (bytes: Buffer, at: number): number => (isBig ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at))
  const long = (bytes: Buffer, at: number): number =>
    is64 ? Number(isBig ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at)) : word(bytes, at)
  const machine = short(head, 18)
  const architecture = MACHINES[machine] ?? `machine 0x${machine.toString(16)}`
  if (is64 && head.length < 64) return { architecture }
  const start = long(head, is64 ? 32 : 28)
  const size = short(head, is64 ? 54 : 42)
  const count = Math.min(short(head, is64 ? 56 : 44), MAX_HEADERS)
  const least = is64 ? 40 : 20
  if (size < least) return { architecture }
  for (let index = 0; index < count; index++) {
    const header = read(start + index * size, least)
    if (header.length < least || word(header, 0) !== PT_INTERP) continue
    const path = read(long(header, is64 ? 8 : 4), Math.min(long(header, is64 ? 32 : 16), MAX_PATH))
    const end = path.indexOf(0)
    return { architecture, interpreter: path.subarray(0, end < 0 ? undefined : end).toString() }
  }
  return { architecture }
}
