/**
 * Bake: many builds described in files, as `docker buildx bake` reads them.
 *
 *   HCL, JSON ─ hcl/ ─▶ bodies ─ module ─▶ ┐
 *   compose ─ compose-targets ───────────▶ ├ Definition ─ resolve ─▶ BakePlan: what is built, and how
 *                                          ┘
 *
 * All of it is pure: a plan is data, and what runs the builds makes BuildOptions of each target. The files may be anybody's: what evaluating
 * them costs is bounded (hcl/value.ts), nothing of them is run, and of the host they learn the environment's values for their own variables.
 */
import { InvalidArgument, SkiffError } from "../base/errors.ts"
import type { Project } from "../compose/compose.ts"
import { addProject } from "./compose-targets.ts"
import { addTarget, definitionOf, type Definition } from "./definition.ts"
import { parseJson } from "./hcl/json-body.ts"
import { parseHcl } from "./hcl/parse.ts"
import type { Body } from "./hcl/syntax.ts"
import { Module } from "./module.ts"

export type { BakeVariable } from "./module.ts"
export type { BakeTarget, Fields } from "./target.ts"
export { resolveBake, type BakePlan, type ResolveOptions } from "./resolve.ts"
export { listTargets, printable, variableText, type ListedTarget } from "./show.ts"
export type { Definition } from "./definition.ts"

/** One file of a definition. */
export type BakeSource = { name: string; text: string } | { project: Project }

/** More is no bake file. */
const MOST_BYTES = 4 * 1024 ** 2

/** Where bake looks when no file is named, after the compose files; those that are there are laid over each other. */
export const BAKE_FILES = [
  "docker-bake.json",
  "docker-bake.hcl",
  "docker-bake.override.json",
  "docker-bake.override.hcl",
]

/** All that the files say together. Throws InvalidArgument, with file and line where the error has a place. */
export function readBake(
  sources: readonly BakeSource[],
  { environment, directory }: { environment: Readonly<Record<string, string | undefined>>; directory: string },
): Definition {
  const texts = sources.flatMap((source) => ("text" in source ? [source] : []))
  const bodies = texts.map(({ name, text }) => placed(name, text, () => bodyOf(name, text)))
  const [first] = texts
  const definition = placed(texts.length === 1 ? first?.name : undefined, first?.text ?? "", () =>
    definitionOf(new Module(bodies, environment)),
  )
  if (!sources.some((source) => "project" in source)) return definition
  // compose files are the ground, whatever their place among the files
  const ground = definitionOf(new Module([], environment))
  for (const source of sources) if ("project" in source) addProject(ground, source.project, directory)
  return over(ground, definition)
}

function bodyOf(name: string, text: string): Body {
  if (text.length > MOST_BYTES) throw new InvalidArgument(`a bake file has at most ${MOST_BYTES} bytes`)
  if (name.endsWith(".json")) return parseJson(text)
  if (name.endsWith(".hcl")) return parseHcl(text)
  return text.trimStart().startsWith("{") ? parseJson(text) : parseHcl(text)
}

function over(ground: Definition, definition: Definition): Definition {
  for (const [name, draft] of definition.targets) addTarget(ground, name, draft)
  for (const [name, targets] of definition.groups) ground.groups.set(name, targets)
  return { ...definition, groups: ground.groups, targets: ground.targets }
}

/** Says the line of an error that knows its place in the text. */
function placed<T>(name: string | undefined, text: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const { at } = error instanceof SkiffError ? error.data : {}
    if (!(error instanceof SkiffError)) throw error
    const line = typeof at === "number" && name !== undefined ? `:${text.slice(0, at).split("\n").length}` : ""
    throw name === undefined ? error : error.restated(`${name}${line}: ${error.message}`)
  }
}
