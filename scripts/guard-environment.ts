/**
 * Makes the caller's environment harmless to the JavaScript runtime in our executable. usage: guard-environment.ts FILE
 *
 * Bun reads `BUN_OPTIONS`, `BUN_BE_BUN` and many more before it runs a line of ours: one makes the executable a Bun that
 * runs any script, another preloads a file. No option of `bun build` turns them off. So a few instructions are put before
 * the program's first one: they walk the environment and overwrite the first letter of each name that is the runtime's by
 * `!`, so that nothing finds it. Our own code finds the values again for `--env NAME` (src/sys/process/caller-environment.ts).
 *
 * The instructions go into the unused bytes of the file between the segment of constants and that of code; the latter then
 * starts a little earlier. Why it is done so is in docs/design/015-caller-environment.md.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs"
import { HIDDEN_MARK, HIDDEN_PREFIXES } from "../src/sys/process/caller-environment.ts"

const MACHINE_X86_64 = 62
const MACHINE_AARCH64 = 183
const PT_LOAD = 1
const PF_X = 1
const PROGRAM_HEADER_BYTES = 56

/** What runs first, to end in a jump to the address that the file began with; the table of prefixes follows it. */
interface Stub {
  code: Uint8Array
  /** The jump from `from`, the address of the last instruction, to `to`. */
  jump(from: number, to: number): Uint8Array
}

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(/\s/g, ""), "hex")
const mark = HIDDEN_MARK.charCodeAt(0).toString(16)

/** rsp: argc, argv, 0, envp, 0; rdx is the dynamic linker's and stays. */
const X86_64: Stub = {
  code: bytes(`
    48 8b 04 24             ${/*       mov rax, [rsp]               argc */ ""}
    48 8d 74 c4 10          ${/*       lea rsi, [rsp + rax*8 + 16]  envp */ ""}
    48 ad                   ${/* each: lodsq */ ""}
    48 85 c0                ${/*       test rax, rax */ ""}
    74 34                   ${/*       jz done */ ""}
    48 8d 0d 32 00 00 00    ${/*       lea rcx, [rip + prefixes] */ ""}
    31 ff                   ${/* prefix: xor edi, edi */ ""}
    80 39 00                ${/*       cmp byte [rcx], 0            end of the table */ ""}
    74 eb                   ${/*       jz each */ ""}
    8a 1c 39                ${/* letter: mov bl, [rcx + rdi] */ ""}
    84 db                   ${/*       test bl, bl                  all of the prefix is there */ ""}
    74 1a                   ${/*       jz found */ ""}
    44 8a 04 38             ${/*       mov r8b, [rax + rdi] */ ""}
    41 80 e0 df             ${/*       and r8b, 0xdf                upper case */ ""}
    ff c7                   ${/*       inc edi */ ""}
    41 38 d8                ${/*       cmp r8b, bl */ ""}
    74 ea                   ${/*       jz letter */ ""}
    8a 19                   ${/* skip: mov bl, [rcx] */ ""}
    48 ff c1                ${/*       inc rcx */ ""}
    84 db                   ${/*       test bl, bl */ ""}
    75 f7                   ${/*       jnz skip */ ""}
    eb d8                   ${/*       jmp prefix */ ""}
    c6 00 ${mark}           ${/* found: mov byte [rax], '!' */ ""}
    eb c5                   ${/*       jmp each */ ""}
                            ${/* done: jmp original */ ""}`),
  jump(from, to) {
    const jump = Buffer.from([0xe9, 0, 0, 0, 0])
    jump.writeInt32LE(to - (from + jump.length), 1)
    return jump
  },
}

/** sp: argc, argv, 0, envp, 0; x0 is the dynamic linker's and stays. */
const AARCH64: Stub = {
  code: words(
    0xf94003e9, //         ldr x9, [sp]              argc
    0x8b296fea, //         add x10, sp, x9, lsl #3
    0x9100414a, //         add x10, x10, #16         envp
    0x52801bef, //         mov w15, #0xdf
    0xf8408549, // each:   ldr x9, [x10], #8
    0xb4000229, //         cbz x9, done
    0x1000022b, //         adr x11, prefixes
    0x3940016c, // prefix: ldrb w12, [x11]           end of the table
    0x34ffff8c, //         cbz w12, each
    0xaa0903ed, //         mov x13, x9
    0x3840156c, // letter: ldrb w12, [x11], #1
    0x3400010c, //         cbz w12, found            all of the prefix is there
    0x384015ae, //         ldrb w14, [x13], #1
    0x0a0f01ce, //         and w14, w14, w15         upper case
    0x6b0c01df, //         cmp w14, w12
    0x54ffff60, //         b.eq letter
    0x3840156c, // skip:   ldrb w12, [x11], #1
    0x35ffffec, //         cbnz w12, skip
    0x17fffff5, //         b prefix
    0x5280000c | (HIDDEN_MARK.charCodeAt(0) << 5), // found: mov w12, #'!'
    0x3900012c, //         strb w12, [x9]
    0x17ffffef, //         b each
    //             done:   b original
  ),
  jump: (from, to) => words(0x14000000 | (((to - from) >> 2) & 0x03ffffff)),
}

function words(...values: number[]): Uint8Array {
  const code = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => code.writeUInt32LE(value >>> 0, index * 4))
  return code
}

const STUBS: Readonly<Record<number, Stub>> = { [MACHINE_X86_64]: X86_64, [MACHINE_AARCH64]: AARCH64 }

interface Segment {
  /** Of its program header in the file. */
  header: number
  offset: number
  address: number
  sizeBytes: number
  align: number
  isCode: boolean
}

/** The loaded segments, as elf(5) tells them: 64 bits, little-endian. */
function segmentsOf(file: Buffer): Segment[] {
  const [table, entrySize, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(54), file.readUInt16LE(56)]
  return Array.from({ length: count }, (_, index) => table + index * entrySize)
    .filter((header) => file.readUInt32LE(header) === PT_LOAD)
    .map((header) => ({
      header,
      isCode: (file.readUInt32LE(header + 4) & PF_X) !== 0,
      offset: Number(file.readBigUInt64LE(header + 8)),
      address: Number(file.readBigUInt64LE(header + 16)),
      sizeBytes: Number(file.readBigUInt64LE(header + 32)),
      align: Number(file.readBigUInt64LE(header + 48)),
    }))
}

/** Changes the file in memory; gives the ranges that are others now. */
function guard(file: Buffer): [start: number, end: number][] {
  if (file.toString("latin1", 0, 6) !== "\x7fELF\x02\x01") throw new Error("not a 64-bit little-endian ELF file")
  const stub = STUBS[file.readUInt16LE(18)]
  if (stub === undefined) throw new Error(`no guard is known for machine ${file.readUInt16LE(18)}`)
  const entry = Number(file.readBigUInt64LE(24))
  const segments = segmentsOf(file)
  const code = segments.find(
    ({ isCode, address, sizeBytes }) => isCode && entry >= address && entry < address + sizeBytes,
  )
  if (code === undefined) throw new Error("no segment of code holds the entry point")
  const table = Buffer.from(`${HIDDEN_PREFIXES.join("\0")}\0\0`)
  const length = Math.ceil((stub.code.length + stub.jump(0, 0).length + table.length) / 16) * 16
  const start = code.offset - length
  const ends = segments.filter(({ offset }) => offset < code.offset).map(({ offset, sizeBytes }) => offset + sizeBytes)
  // within the page that is mapped with the code anyway
  const free = Math.max(...ends, code.offset - (code.offset % code.align))
  if (start < free || file.subarray(start, code.offset).some((byte) => byte !== 0))
    throw new Error(`there is no room of ${length} bytes before the code: this Bun is laid out in another way`)
  const address = code.address - length
  const jump = stub.jump(address + stub.code.length, entry)
  Buffer.concat([stub.code, jump, table]).copy(file, start)
  file.writeBigUInt64LE(BigInt(address), 24)
  const grown = { 8: start, 16: address, 24: address, 32: code.sizeBytes + length, 40: code.sizeBytes + length }
  for (const [field, value] of Object.entries(grown)) file.writeBigUInt64LE(BigInt(value), code.header + Number(field))
  return [
    [0, code.header + PROGRAM_HEADER_BYTES],
    [start, code.offset],
  ]
}

const [path = ""] = process.argv.slice(2)
const file = readFileSync(path)
const changed = guard(file)
const fd = openSync(path, "r+")
for (const [start, end] of changed) writeSync(fd, file, start, end - start, start)
closeSync(fd)
