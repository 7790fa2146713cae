import type { TarEntry } from "../../archive/tar-entry.ts"
import type { Bytes } from "../../base/bytes.ts"
import { shownName } from "../../sys/fs/raw-name.ts"
import { tarEntries, type DigestedEntry } from "./tar-entries.ts"

/** The first file that two layers do not have alike, and in what, for people; undefined where none is found. */
export async function firstFileDifference(first: Bytes, second: Bytes): Promise<string | undefined> {
  const [a, b] = [tarEntries(first), tarEntries(second)]
  try {
    for (;;) {
      const [one, other] = [(await a.next()).value, (await b.next()).value] as const
      if (!one && !other) return undefined
      const found = difference(one ?? undefined, other ?? undefined)
      if (found !== undefined) return found
    }
  } finally {
    await Promise.all([a.return(undefined), b.return(undefined)])
  }
}

/** A layer's names are in one order, so the lesser one is what the other lacks. */
function difference(one: DigestedEntry | undefined, other: DigestedEntry | undefined): string | undefined {
  if (one === undefined || other === undefined || one.entry.name !== other.entry.name) {
    const isFirst = other === undefined || (one !== undefined && one.entry.name < other.entry.name)
    const { name } = (isFirst ? one : other)?.entry ?? { name: "" }
    return `${shownPath(name)} exists only in the ${isFirst ? "first" : "second"} build`
  }
  const aspects = ASPECTS.filter(([, of]) => of(one) !== of(other)).map(([aspect]) => aspect)
  if (aspects.length === 0) return undefined
  const details = aspects.includes("content") ? "" : detail(aspects[0], one.entry, other.entry)
  return `${shownPath(one.entry.name)} differs in ${aspects.join(", ")}${details}`
}

/** In what a file may differ, the weightiest first. */
const ASPECTS: readonly (readonly [name: string, of: (each: DigestedEntry) => string])[] = [
  ["type", ({ entry }) => entry.type],
  ["content", ({ entry, digest }) => `${entry.sizeBytes} ${digest}`],
  ["link target", ({ entry }) => entry.linkName],
  ["mode", ({ entry }) => octal(entry)],
  ["owner", ({ entry }) => `${entry.uid}:${entry.gid}`],
  ["device", ({ entry }) => `${entry.device.major}:${entry.device.minor}`],
  ["extended attributes", ({ entry }) => attributesOf(entry)],
  ["time", ({ entry }) => timeOf(entry)],
]

function detail(aspect: string | undefined, one: TarEntry, other: TarEntry): string {
  const values: Record<string, (entry: TarEntry) => string> = {
    type: ({ type }) => type,
    "link target": ({ linkName }) => shownName(linkName),
    mode: octal,
    owner: ({ uid, gid }) => `${uid}:${gid}`,
    time: timeOf,
  }
  const of = values[aspect ?? ""]
  return of === undefined ? "" : `: ${of(one)}, then ${of(other)}`
}

function octal({ mode }: TarEntry): string {
  return mode.toString(8).padStart(4, "0")
}

function timeOf({ mtime: { seconds, nanoseconds } }: TarEntry): string {
  const time = new Date(Number(seconds) * 1000)
  return Number.isNaN(time.getTime()) ? `${seconds}.${nanoseconds}` : time.toISOString().replace(".000Z", "Z")
}

function attributesOf({ attributes }: TarEntry): string {
  return [...attributes].map(([name, value]) => `${name}=${Buffer.from(value).toString("hex")}`).join(" ")
}

function shownPath(name: string): string {
  return shownName(`/${name.replace(/\/$/, "")}`)
}

/** The first field that two documents do not have alike, with both values; undefined where all are. */
export function firstFieldDifference(one: unknown, other: unknown, path = ""): string | undefined {
  if (isCompound(one) && isCompound(other)) {
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
      const inner = Array.isArray(one) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`
      const found = firstFieldDifference(one[key], other[key], inner)
      if (found !== undefined) return found
    }
    return undefined
  }
  return one === other ? undefined : `"${path}" of the config differs: ${shown(one)}, then ${shown(other)}`
}

function isCompound(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, 200)
}
