import { inflateSync } from "node:zlib"
import type { RandomFile } from "../file-tree.ts"
import { jsonFields, objectsOf, textOf } from "../json.ts"
import type { Package } from "../package.ts"
import { Gathered } from "../reading.ts"
import { linesOf } from "../stanza.ts"
import { elfSections, type ElfSection } from "./elf.ts"

const MAX_MODULES = 4 * 1024 ** 2
const MAX_AUDIT = 8 * 1024 ** 2
const MAGIC = Buffer.from("\xff Go buildinf:", "latin1")

/** The packages that a program says it was built of: Go's own record, or the one that cargo-auditable leaves. */
export function packagesOfBinary(file: RandomFile, foundIn: string): Package[] {
  const elf = elfSections(file)
  if (elf === undefined) return []
  const go = elf.sections.find(({ name }) => name === ".go.buildinfo")
  if (go !== undefined) return goPackages(file, elf, go, foundIn)
  const rust = elf.sections.find(({ name }) => name === ".dep-v0")
  return rust === undefined ? [] : rustPackages(file, rust, foundIn)
}

type Elf = Exclude<ReturnType<typeof elfSections>, undefined>

/** debug/buildinfo of Go: a header, then (since 1.18) both texts, or before that pointers to them. */
function goPackages(file: RandomFile, elf: Elf, section: ElfSection, foundIn: string): Package[] {
  const found = new Gathered("golang", "gobinary", foundIn)
  const head = file.read(section.offset, 32)
  if (head.length < 32 || !head.subarray(0, MAGIC.length).equals(MAGIC)) return []
  const flags = head[15] ?? 0
  const [version, modules] = (flags & 2) !== 0 ? inlineTexts(file, section) : pointedTexts(file, elf, head, flags)
  // `go1.21.5 X:boringcrypto`
  const [, toolchain] = /^go(\d[\w.]*)/.exec(version ?? "") ?? []
  if (toolchain !== undefined) found.add("stdlib", `v${toolchain}`)
  let last: { name: string; version: string } | undefined
  const end = (): void => {
    found.add(last?.name, last?.version)
    last = undefined
  }
  // sixteen bytes before and after it tell where it begins and ends
  for (const line of linesOf((modules ?? "").slice(16, -16))) {
    const [word, name = "", own = ""] = line.split("\t")
    if (word === "dep" || word === "mod") {
      end()
      // of the program itself most builds do not say the version
      if (own !== "(devel)") last = { name, version: own }
    } else if (word === "=>" && last !== undefined) last = { name, version: own }
  }
  end()
  return found.packages
}

function inlineTexts(file: RandomFile, { offset, size }: ElfSection): (string | undefined)[] {
  const bytes = file.read(offset + 32, Math.min(size - 32, MAX_MODULES))
  const version = counted(bytes, 0)
  const modules = version && counted(bytes, version.end)
  return [version?.text.toString("utf8"), modules?.text.toString("latin1")]
}

function counted(bytes: Buffer, start: number): { text: Buffer; end: number } | undefined {
  let [length, factor, at] = [0, 1, start]
  for (let byte = bytes[at]; byte !== undefined && at - start < 5; byte = bytes[at]) {
    at++
    length += (byte & 0x7f) * factor
    factor *= 128
    if (byte < 0x80)
      return at + length > bytes.length ? undefined : { text: bytes.subarray(at, at + length), end: at + length }
  }
  return undefined
}

/** Each pointer leads to another, and a length. */
function pointedTexts(file: RandomFile, { sections }: Elf, head: Buffer, flags: number): (string | undefined)[] {
  const pointerBytes = head[14] === 4 ? 4 : 8
  const isBig = (flags & 1) !== 0
  const number = (bytes: Buffer, at: number): number => {
    if (at + pointerBytes > bytes.length) return 0
    if (pointerBytes === 4) return isBig ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)
    return Number(isBig ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at))
  }
  const inMemory = (address: number, length: number): Buffer => {
    const section = sections.find(
      (each) => each.address > 0 && address >= each.address && address < each.address + each.size,
    )
    return section === undefined ? Buffer.alloc(0) : file.read(section.offset + address - section.address, length)
  }
  return [number(head, 16), number(head, 16 + pointerBytes)].map((address) => {
    if (address === 0) return undefined
    const text = inMemory(address, 2 * pointerBytes)
    const [start, length] = [number(text, 0), number(text, pointerBytes)]
    return length > MAX_MODULES ? undefined : inMemory(start, length).toString("latin1")
  })
}

/** rustsec's auditable binaries: JSON, deflated by zlib. */
function rustPackages(file: RandomFile, { offset, size }: ElfSection, foundIn: string): Package[] {
  const found = new Gathered("cargo", "rustbinary", foundIn)
  if (size > MAX_AUDIT) return []
  let bytes: Buffer
  try {
    bytes = inflateSync(file.read(offset, size), { maxOutputLength: MAX_AUDIT })
  } catch {
    return []
  }
  for (const each of objectsOf(jsonFields(bytes)?.packages))
    if (each.kind !== "build") found.add(textOf(each.name), textOf(each.version))
  return found.packages
}
