import { byCodeUnit } from "../base/by-code-unit.ts"
import { InvalidArgument } from "../base/errors.ts"
import { parseDuration } from "../spec/docker/duration.ts"
import type { SourceRange } from "./dockerfile.ts"
import { parseJsonForm, parseList, parsePairs, splitQuotedWords, splitWords } from "./arguments.ts"
import { parseFlags, splitFlags } from "./flags.ts"
import { parseHereDocument, withoutLeadingTabs } from "./here-document.ts"
import { didYouMean } from "../base/suggest.ts"
import type { CommandLine, HealthCheck, HereDocument, Instruction, SourcesAndTarget, Stage } from "./dockerfile.ts"

/** One instruction with all its lines. */
export interface Line {
  code: string
  documents: readonly HereDocument[]
  comments: readonly string[]
  source: SourceRange
}

type StageHead = Omit<Stage, "instructions">

/** The line parted: what each instruction's parser is given. */
interface Parts extends Line {
  keyword: string
  flags: readonly string[]
  rest: string
  escape: "\\" | "`"
}

type Common = Pick<Instruction, "keyword" | "code" | "source" | "comments">

/** Parses one instruction. Throws InvalidArgument with the reason, without the place. */
export function parseInstruction(line: Line, escape: "\\" | "`"): Instruction | StageHead {
  const { keyword, rest } = splitKeyword(line.code)
  const parse = Object.hasOwn(PARSERS, keyword.toLowerCase()) ? PARSERS[keyword.toLowerCase()] : undefined
  if (parse === undefined)
    throw new InvalidArgument(`unknown instruction: ${keyword}${didYouMean(keyword.toUpperCase(), KEYWORDS)}`)
  const { flags, rest: args } = splitFlags(rest)
  const parts = { ...line, keyword, flags, rest: args.trim(), escape }
  const common = { keyword, code: line.code.trim(), source: line.source, comments: line.comments }
  return parse(parts, common)
}

/** FROM gives the head of a stage, all else an instruction in it. */
export function isStageHead(parsed: Instruction | StageHead): parsed is StageHead {
  return "base" in parsed
}

/** Whether an instruction may begin here-documents: RUN, COPY and ADD in their shell form, ONBUILD of these too. */
export function takesHereDocuments(code: string): boolean {
  const { keyword, rest } = splitKeyword(code)
  const lower = keyword.toLowerCase()
  if (lower === "onbuild") return !/^onbuild\b/i.test(rest) && takesHereDocuments(rest)
  if (lower !== "run" && lower !== "copy" && lower !== "add") return false
  return code.includes("<<") && safeJson(splitFlags(rest).rest.trim()) === undefined
}

function safeJson(rest: string): string[] | undefined {
  try {
    return parseJsonForm(rest)
  } catch {
    return []
  }
}

function splitKeyword(code: string): { keyword: string; rest: string } {
  const [, keyword = "", rest = ""] = /^([^\t\v\f\r ]+)[\t\v\f\r ]*([^]*)$/.exec(code.trim()) ?? []
  return { keyword, rest }
}

const PARSERS: Record<string, (parts: Parts, common: Common) => Instruction | StageHead> = {
  from: parseFrom,
  run: (parts, common) => {
    const { mount, network, security, device } = parseFlags(parts.flags, {
      mount: "strings",
      network: "string",
      security: "string",
      device: "strings",
    })
    if (device.length > 0)
      throw new InvalidArgument("RUN --device is not supported: there are no CDI devices here", {
        hint: "build without it, and give the device to the container that runs the image",
      })
    return {
      ...common,
      kind: "run",
      command: parseCommand(parts),
      documents: parts.documents,
      mounts: mount,
      network: network === undefined ? undefined : oneOf("network", network, ["default", "none", "host"]),
      security: security === undefined ? "sandbox" : oneOf("security", security, ["sandbox", "insecure"]),
    }
  },
  cmd: (parts, common) => ({ ...common, kind: "cmd", command: withoutFlags(parts, parseCommand) }),
  entrypoint: (parts, common) => ({ ...common, kind: "entrypoint", command: withoutFlags(parts, parseCommand) }),
  copy: (parts, common) => {
    const {
      from = "",
      parents = false,
      ...flags
    } = parseFlags(parts.flags, {
      ...COPY_FLAGS,
      from: "string",
      parents: "boolean",
    })
    return { ...common, kind: "copy", from, parents, ...parseSources("COPY", parts, flags) }
  },
  add: (parts, common) => {
    const {
      checksum = "",
      unpack,
      "keep-git-dir": keepGitDir,
      ...flags
    } = parseFlags(parts.flags, {
      ...COPY_FLAGS,
      checksum: "string",
      "keep-git-dir": "boolean",
      unpack: "boolean",
    })
    return {
      ...common,
      kind: "add",
      checksum,
      ...(keepGitDir === undefined ? {} : { keepGitDir }),
      ...(unpack === undefined ? {} : { unpack }),
      ...parseSources("ADD", parts, flags),
    }
  },
  env: (parts, common) => ({ ...common, kind: "env", pairs: withoutFlags(parts, pairsOf("ENV")) }),
  label: (parts, common) => ({ ...common, kind: "label", pairs: withoutFlags(parts, pairsOf("LABEL")) }),
  arg: ({ rest, escape }, common) => {
    const args = splitQuotedWords(rest, escape).map((word) => {
      const equals = word.indexOf("=")
      if (equals === 0) throw new InvalidArgument("ARG names can not be blank")
      return equals < 0 ? { key: word } : { key: word.slice(0, equals), value: word.slice(equals + 1) }
    })
    if (args.length === 0) throw new InvalidArgument("ARG requires at least one argument")
    return { ...common, kind: "arg", args }
  },
  expose: (parts, common) => {
    const ports = withoutFlags(parts, ({ rest }) => splitWords(rest))
    if (ports.length === 0) throw new InvalidArgument("EXPOSE requires at least one argument")
    return { ...common, kind: "expose", ports: ports.toSorted(byCodeUnit) }
  },
  volume: (parts, common) => {
    const volumes = withoutFlags(parts, ({ rest }) => parseList(rest).words).map((volume) => volume.trim())
    if (volumes.length === 0) throw new InvalidArgument("VOLUME requires at least one argument")
    if (volumes.includes("")) throw new InvalidArgument("VOLUME specified can not be an empty string")
    return { ...common, kind: "volume", volumes }
  },
  user: single("user"),
  workdir: single("workdir"),
  maintainer: single("maintainer"),
  stopsignal: single("stopsignal"),
  shell: (parts, common) => {
    const shell = withoutFlags(parts, ({ rest }) => parseJsonForm(rest))
    if (parts.rest === "" || shell?.length === 0) throw new InvalidArgument("SHELL requires at least one argument")
    if (shell === undefined)
      throw new InvalidArgument("SHELL requires the arguments to be in JSON form", {
        hint: 'write SHELL ["/bin/bash", "-c"]',
      })
    return { ...common, kind: "shell", shell }
  },
  healthcheck: (parts, common) => ({ ...common, kind: "healthcheck", check: parseHealthCheck(parts) }),
  onbuild: (parts, common) => ({ ...common, kind: "onbuild", trigger: withoutFlags(parts, parseOnBuild) }),
}

const KEYWORDS = Object.keys(PARSERS).map((name) => name.toUpperCase())

const COPY_FLAGS = { chown: "string", chmod: "string", link: "boolean", exclude: "strings" } as const

function parseFrom({ rest, flags, keyword, code, source, comments }: Parts): StageHead {
  const words = splitWords(rest)
  const [base = "", as, name] = words
  const named = words.length === 3 && as?.toLowerCase() === "as"
  if (words.length !== 1 && !named)
    throw new InvalidArgument("FROM requires either one or three arguments", { hint: "write FROM IMAGE [AS NAME]" })
  const { platform } = parseFlags(flags, { platform: "string" })
  const lower = name?.toLowerCase()
  if (lower !== undefined && !/^[a-z][a-z0-9_.-]*$/.test(lower))
    throw new InvalidArgument(
      `invalid name for build stage: ${JSON.stringify(name)}, name can't start with a number or contain symbols`,
    )
  return {
    base,
    ...(lower === undefined ? {} : { name: lower }),
    ...(platform === undefined ? {} : { platform }),
    written: { from: keyword, ...(as === undefined ? {} : { as }), ...(name === undefined ? {} : { name }) },
    code: code.trim(),
    source,
    comments,
  }
}

function parseCommand({ rest }: Parts): CommandLine {
  const words = parseJsonForm(rest)
  if (words !== undefined) return { words, shell: false }
  return { words: rest === "" ? [] : [rest], shell: true }
}

function parseSources(
  keyword: "COPY" | "ADD",
  { rest, documents }: Parts,
  flags: { chown: string | undefined; chmod: string | undefined; link: boolean | undefined; exclude: string[] },
): SourcesAndTarget {
  const { words } = parseList(rest)
  const target = words.at(-1)
  if (target === undefined || words.length < 2)
    throw new InvalidArgument(
      `${keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
    )
  if (documents.length > 0 && parseHereDocument(target) !== undefined)
    throw new InvalidArgument(`${keyword} cannot accept a heredoc as a destination`)
  const bodies = new Map(documents.map((document) => [document.name, document]))
  const sources: string[] = []
  const inline: HereDocument[] = []
  for (const word of words.slice(0, -1)) {
    const document = documents.length === 0 ? undefined : bodies.get(parseHereDocument(word)?.name ?? "")
    if (document === undefined) sources.push(word)
    else inline.push(document.chomp ? { ...document, content: withoutLeadingTabs(document.content) } : document)
  }
  for (const { name } of inline)
    if (name === "." || name === ".." || /[/\0]/.test(name))
      throw new InvalidArgument(`a here-document called ${JSON.stringify(name)} cannot be a file`, {
        hint: "its name is the file's name, without directories",
      })
  return {
    sources,
    documents: inline,
    target,
    chown: flags.chown ?? "",
    chmod: flags.chmod ?? "",
    link: flags.link ?? false,
    exclude: flags.exclude,
  }
}

function parseHealthCheck({ rest, flags }: Parts): HealthCheck {
  const [, type = "", command = ""] = /^(\S+)\s*([^]*)$/.exec(rest) ?? []
  if (type === "") throw new InvalidArgument("HEALTHCHECK requires at least one argument")
  const none = { test: ["NONE"], interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 }
  if (type.toUpperCase() === "NONE") {
    if (command !== "") throw new InvalidArgument("HEALTHCHECK NONE takes no arguments")
    return none
  }
  const values = parseFlags(flags, {
    interval: "string",
    timeout: "string",
    "start-period": "string",
    "start-interval": "string",
    retries: "string",
  })
  if (type.toUpperCase() !== "CMD")
    throw new InvalidArgument(`unknown type ${JSON.stringify(type.toUpperCase())} in HEALTHCHECK (try CMD)`)
  const json = parseJsonForm(command)
  if (command === "" || json?.length === 0) throw new InvalidArgument("missing command after HEALTHCHECK CMD")
  return {
    test: json === undefined ? ["CMD-SHELL", command] : ["CMD", ...json],
    interval: nanoseconds("interval", values.interval),
    timeout: nanoseconds("timeout", values.timeout),
    startPeriod: nanoseconds("start-period", values["start-period"]),
    startInterval: nanoseconds("start-interval", values["start-interval"]),
    retries: retriesOf(values.retries),
  }
}

function nanoseconds(flag: string, text: string | undefined): number {
  if (text === undefined || text === "") return 0
  const value = Math.round(parseDuration(text) * 1e6)
  if (value !== 0 && value < 1e6) throw new InvalidArgument(`interval "${flag}" cannot be less than 1ms`)
  return value
}

function retriesOf(text: string | undefined): number {
  if (text === undefined || text === "") return 0
  const retries = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : NaN
  if (!Number.isInteger(retries) || retries > 2 ** 31 - 1)
    throw new InvalidArgument(`--retries wants a number, not "${text}"`)
  if (retries < 0) throw new InvalidArgument(`--retries cannot be negative (${retries})`)
  return retries
}

function parseOnBuild({ rest, documents, code }: Parts): string {
  if (rest === "") throw new InvalidArgument("ONBUILD requires at least one argument")
  const keyword = splitKeyword(rest).keyword.toUpperCase()
  if (keyword === "ONBUILD") throw new InvalidArgument("chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
  if (keyword === "MAINTAINER" || keyword === "FROM")
    throw new InvalidArgument(`${keyword} isn't allowed as an ONBUILD trigger`)
  // whether it is an instruction is found out when it is triggered
  const bodies = documents.map(({ name, content }) => `\n${content}${name}`)
  return code.replace(/^\s*ONBUILD\s*/i, "") + bodies.join("")
}

function single(kind: "user" | "workdir" | "maintainer" | "stopsignal") {
  return (parts: Parts, common: Common): Instruction => {
    const value = withoutFlags(parts, ({ rest }) => rest)
    if (value === "") throw new InvalidArgument(`${kind.toUpperCase()} requires exactly one argument`)
    return { ...common, kind, value }
  }
}

function pairsOf(keyword: string) {
  return ({ rest, escape }: Parts) => parsePairs(rest, escape, keyword)
}

function withoutFlags<T>(parts: Parts, parse: (parts: Parts) => T): T {
  parseFlags(parts.flags, {})
  return parse(parts)
}

function oneOf<const T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === value.toLowerCase())
  if (found !== undefined) return found
  throw new InvalidArgument(`invalid ${flag} mode "${value}"${didYouMean(value, allowed)}`, {
    hint: `--${flag} is one of ${allowed.join(", ")}`,
  })
}
