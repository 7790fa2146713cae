/** Cache keys: a digest of all that decides what a step gives, part by part, so that a miss can be explained. */
import { hash } from "node:crypto"
import type { DiffId } from "../../spec/digest.ts"
import { formatPlatform } from "../../spec/platform.ts"
import type { FilesOperation, RunOperation, Vertex } from "../plan/definition.ts"

/** What it is, for people, and a short digest of its value. */
export type KeyPart = readonly [label: string, digest: string]

/** An input as a key names it: what it is for people, and what tells it from others; undefined where nothing of it is read. */
export interface InputKey {
  label: string
  value: string | undefined
}

/** What decides over every step of a build. */
export interface KeyConditions {
  /** No file of a new layer gets a time after this one, in seconds. */
  epoch: number | undefined
  /** RUN knows root alone (work/isolation.ts). */
  isSingleUid: boolean
  /** What RUN is held to where the request says so: a filter of system calls, limits that a program sees. */
  bounds?: unknown
}

/** An operation whose result is a layer more. */
export type LayeredOperation = RunOperation | FilesOperation | { kind: "merge" }

/**
 * The parts of the key of `vertex`, in the order in which a difference explains most. `root` is what it stands on. Secrets
 * and cgroup limits of the request are no part of it; the base image's whole config is, by `root` (CVE-2024-24557).
 */
export function keyParts(
  vertex: Vertex & { operation: LayeredOperation },
  root: string,
  sources: readonly InputKey[],
  { epoch, isSingleUid, bounds }: KeyConditions,
): KeyPart[] {
  const { operation, platform } = vertex
  const parts: [string, unknown][] = [["the platform", formatPlatform(platform)]]
  if (operation.kind === "run") parts.push(...runParts(operation))
  else parts.push(["the instruction", operation])
  // what RUN gives to others than root belongs to root there: no result for those who can tell them apart
  if (operation.kind === "run" && isSingleUid) parts.push(["the isolation level", "single-uid"])
  if (operation.kind === "run" && bounds !== undefined) parts.push(["the security options and ulimits", bounds])
  for (const { label, value } of sources) if (value !== undefined) parts.push([label, value])
  if (epoch !== undefined) parts.push(["the time that files are set to", epoch])
  return [rootPart(root), ...parts.map(([label, value]) => part(label, value))]
}

/** What a step stands on: the first part of every key. */
export function rootPart(root: string): KeyPart {
  return part("the step before it", root)
}

function part(label: string, value: unknown): KeyPart {
  return [label, digestOf(value).slice(0, SHOWN_DIGITS)]
}

function runParts({ argv, env, cwd, user, mounts, network, security }: RunOperation): [string, unknown][] {
  return [
    ["the command", argv],
    ...env.map((text): [string, unknown] => [`the variable ${text.slice(0, Math.max(text.indexOf("="), 0))}`, text]),
    ["the working directory", cwd],
    ["the user", user],
    ["the mounts", mounts],
    ["the network", [network, security]],
  ]
}

// 128 bits: enough against chance and against search
const SHOWN_DIGITS = 32

/** The key of these parts. `kind` keeps keys of different making apart. */
export function keyOf(kind: "definition" | "content", parts: readonly KeyPart[]): string {
  return digestOf([kind, KEY_VERSION, parts])
}

/** To be raised when the same parts come to mean another result. */
const KEY_VERSION = 1

/** What `diffIds` over a base are, wherever they were made: in the place of a root's identity, which is ours alone. */
export function contentIdentity(base: string, diffIds: readonly DiffId[]): string {
  return digestOf([base, diffIds])
}

/** The first part in which two steps differ; undefined when none does. */
export function firstDifference(parts: readonly KeyPart[], earlier: readonly KeyPart[]): string | undefined {
  const before = new Map(earlier)
  const changed = parts.find(([label, digest]) => before.get(label) !== digest)
  if (changed)
    return before.has(changed[0])
      ? `${changed[0]} ${isPlural(changed[0]) ? "differ" : "differs"}`
      : `${changed[0]} is new`
  const now = new Map(parts)
  const gone = earlier.find(([label]) => !now.has(label))
  return gone && `${gone[0]} is gone`
}

function isPlural(label: string): boolean {
  return /^the (files|mounts)\b/.test(label)
}

/** Hexadecimal SHA-256 of a value as JSON; the order of keys does not count. */
export function digestOf(value: unknown): string {
  return hash("sha256", JSON.stringify(value, sorted), "hex")
}

/** Objects by the order of their keys: equal operations give equal text however they were made. */
function sorted(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
