import { InvalidArgument } from "../../base/errors.ts"
import { shellWords } from "../build/shell-words.ts"
import type { UnitFile, UnitLine } from "../units/unit-file.ts"

/** What a file describes, by its suffix. */
export const KINDS = ["container", "volume", "network", "pod", "kube", "build", "image"] as const
export type QuadletKind = (typeof KINDS)[number]

/** Section of a kind's own keys. */
export const OWN_SECTION: Readonly<Record<QuadletKind, string>> = {
  container: "Container",
  volume: "Volume",
  network: "Network",
  pod: "Pod",
  kube: "Kube",
  build: "Build",
  image: "Image",
}

/** Reads systemd.syntax(7): sections, comments, lines that go on after a backslash. Throws InvalidArgument with the line's number. */
export function parseUnit(text: string, path: string): Map<string, UnitLine[]> {
  const sections = new Map<string, UnitLine[]>()
  let section: UnitLine[] | undefined
  let held = ""
  for (const [index, raw] of text.split("\n").entries()) {
    const isComment = /^\s*[#;]/.test(raw)
    // a comment between two parts of a line belongs to neither
    if (isComment || (held === "" && raw.trim() === "")) continue
    const line = held + raw.trimEnd()
    held = ""
    if (line.endsWith("\\")) {
      held = `${line.slice(0, -1)} `
      continue
    }
    const [, name] = /^\s*\[([^\]]+)\]\s*$/.exec(line) ?? []
    if (name !== undefined) {
      section = sections.get(name) ?? []
      sections.set(name, section)
      continue
    }
    const [, key, value = ""] = /^\s*([A-Za-z][\w-]*)\s*=\s*(.*)$/.exec(line) ?? []
    if (key === undefined || section === undefined)
      throw new InvalidArgument(`${path}:${index + 1}: expected [SECTION] or KEY=VALUE: "${line.trim().slice(0, 80)}"`)
    section.push([key, value])
  }
  return sections
}

/** One file, with what its drop-ins add. */
export class QuadletUnit {
  constructor(
    /** `web` of `web.container`; a template's ends with `@`. */
    readonly name: string,
    readonly kind: QuadletKind,
    readonly path: string,
    readonly sections: UnitFile,
  ) {}

  get fileName(): string {
    return `${this.name}.${this.kind}`
  }

  get isTemplate(): boolean {
    return this.name.endsWith("@")
  }

  /** Without `.service`. */
  get serviceName(): string {
    const own = this.last("ServiceName")
    if (own !== undefined) return own
    const suffix = this.kind === "container" || this.kind === "kube" ? "" : `-${this.kind}`
    return this.isTemplate ? `${this.name.slice(0, -1)}${suffix}@` : `${this.name}${suffix}`
  }

  /** What the engine calls it unless it says otherwise: told from what is not systemd's. */
  get resourceName(): string {
    return this.isTemplate ? `systemd-${this.name.slice(0, -1)}_%i` : `systemd-${this.name}`
  }

  /** Its own keys. */
  get lines(): readonly UnitLine[] {
    return this.sections.get(OWN_SECTION[this.kind]) ?? []
  }

  /** All values of a key; an empty one takes back those before it. */
  all(key: string, lines = this.lines): string[] {
    const values = lines.filter(([name]) => name === key).map(([, value]) => value)
    return values.slice(values.lastIndexOf("") + 1)
  }

  last(key: string): string | undefined {
    return this.all(key).at(-1)
  }

  /** Of a list that may stand in one line: `A=1 "B=2 3"`. */
  words(key: string): string[] {
    return this.all(key).flatMap((value) => shellWords(value))
  }

  isSet(key: string): boolean | undefined {
    const value = this.last(key)
    return value === undefined ? undefined : /^(1|yes|true|on)$/i.test(value)
  }

  error(message: string): InvalidArgument {
    return new InvalidArgument(`${this.path}: ${message}`)
  }
}
