import { readFileSync, statSync } from "node:fs"
import { resolve } from "node:path"
import type { Project, Service } from "../project.ts"
import { imageName } from "../service/names.ts"

/** A FROM line's image; what variables make of it is not looked at. */
const FROM = /^\s*FROM\s+(?:--\S+\s+)*(\S+)/gim
/** More than this is no Dockerfile: the build itself will say so. */
const MOST_BYTES = 4 * 1024 ** 2

/**
 * Services whose images must be there before this one's build: those that it takes as contexts (`service:NAME`), and those whose image its
 * Dockerfile names in FROM. docker compose knows the first kind alone, and fails for the other where nobody built before.
 */
export function buildDependencies(project: Project, name: string, separator: "-" | "_" = "-"): string[] {
  const { build } = project.services[name] ?? {}
  if (!build) return []
  const named = Object.values(build.additional_contexts ?? {}).flatMap((context) => serviceContext(context) ?? [])
  const images = new Map(
    Object.entries(project.services).flatMap(([other, service]): [string, string][] =>
      other !== name && service.build ? [[withTag(imageName({ project, key: other, service, separator })), other]] : [],
    ),
  )
  const bases = images.size === 0 ? [] : basesOf(build)
  return [...new Set([...named, ...bases.flatMap((base) => images.get(withTag(base)) ?? [])])]
}

/** Of `service:NAME`. */
export function serviceContext(context: string): string | undefined {
  return /^service:(.+)$/.exec(context)?.[1]
}

function basesOf({
  context = ".",
  dockerfile = "Dockerfile",
  dockerfile_inline: inline,
}: NonNullable<Service["build"]>) {
  const text = inline ?? readIfSmall(resolve(context, dockerfile))
  return [...text.matchAll(FROM)].map(([, image = ""]) => image)
}

function readIfSmall(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat?.isFile() && stat.size <= MOST_BYTES ? readFileSync(path, "utf8") : ""
}

function withTag(image: string): string {
  return /[:@][^/]*$/.test(image) ? image : `${image}:latest`
}
