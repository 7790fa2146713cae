import { readdirSync } from "node:fs"
import { MAX_DOCKERFILE_BYTES } from "../../dockerfile/dockerfile.ts"
import { InvalidArgument, isSkiffError, NotFound } from "../../base/errors.ts"
import { readFileInRoot } from "../../sys/fs/confined.ts"
import type { BuildRequest } from "../build.ts"
import { ignoreFileNames, ignoreMatcher, parseIgnoreFile, type IgnoreMatcher } from "../../dockerfile/ignore-file.ts"
import type { OpenedContext } from "./open-context.ts"

const DEFAULT_NAMES = ["Dockerfile", "Containerfile", "dockerfile"]

/** A Dockerfile's text, and where it was found. */
export interface FoundDockerfile {
  text: string
  /** As errors name it. */
  name: string
  /** Undefined where it did not come from the context. */
  pathInContext?: string
}

/** The Dockerfile of a request. A link in the context leads nowhere but into the context. Throws NotFound. */
export function readDockerfile(
  { dockerfile }: Pick<BuildRequest, "dockerfile">,
  context: OpenedContext,
): FoundDockerfile {
  if (dockerfile !== undefined && "text" in dockerfile) return dockerfile
  if (dockerfile !== undefined) {
    const found = readNamed(context.path, [dockerfile.pathInContext])
    if (found) return found
    throw new NotFound(`failed to read dockerfile: open ${dockerfile.pathInContext}: no such file or directory`, {
      field: "dockerfile",
      hint: "give the name of a file in the context, or the path of another file",
    })
  }
  const found = readNamed(context.path, DEFAULT_NAMES) ?? context.dockerfile
  if (found) return found
  throw new NotFound("failed to read dockerfile: open Dockerfile: no such file or directory", {
    hint: [
      `${emptiness(context)}create a Dockerfile there, starting with FROM debian:stable-slim`,
      { do: "set", field: "dockerfile", value: "FILE" },
    ],
  })
}

/** Says so where the context has no files at all. */
function emptiness({ path, isDirectory }: OpenedContext): string {
  return isDirectory && readdirSync(path).length === 0 ? `the directory ${path} is empty: ` : ""
}

/** What the ignore file of the context leaves out; undefined where there is none, or none counts. Throws InvalidArgument. */
export function readIgnoreFile(
  { ignoreFile }: Pick<BuildRequest, "ignoreFile">,
  context: OpenedContext,
  { pathInContext }: Pick<FoundDockerfile, "pathInContext">,
): IgnoreMatcher | undefined {
  const found =
    ignoreFile ?? (context.isDirectory ? readNamed(context.path, ignoreFileNames(pathInContext)) : undefined)
  if (found === undefined) return undefined
  const matcher = ignoreMatcher(parseIgnoreFile(found.text))
  return matcher.isEmpty ? undefined : matcher
}

function readNamed(root: string, names: readonly string[]): Required<FoundDockerfile> | undefined {
  for (const name of names) {
    const bytes = readOne(root, name)
    if (bytes !== undefined) return { text: Buffer.from(bytes).toString("utf8"), name, pathInContext: name }
  }
  return undefined
}

function readOne(root: string, name: string): Uint8Array | undefined {
  try {
    return readFileInRoot(root, name, MAX_DOCKERFILE_BYTES)
  } catch (error) {
    if (isSkiffError(error)) throw new InvalidArgument(`"${name}" of the context cannot be read`, { cause: error })
    throw error
  }
}
