import type { Environment } from "./environment.ts"
import { fault } from "./fault.ts"
import type { LoadRequest } from "./request.ts"
import { parseFile, type ParsedDocument } from "./parse.ts"
import { readBounded } from "./read-file.ts"
import type { Remotes } from "./remote.ts"
import type { Origin } from "./tree.ts"
import type { Warn } from "./warn.ts"

/** No project has a tenth of it; files that include each other twice double at each level. */
const MAX_FILES = 500

/** What the files of one model share: those of the project, or of one entry of `include`. */
export interface ModelContext {
  request: LoadRequest
  environment: Environment
  /** Absolute: relative names of files are taken from here. */
  directory: string
  /** Where a model's relative paths are taken from; relative itself where paths are to stay as they are. */
  pathBase: string
  /** Of a model that came from another machine: the directory that no path of it may leave. */
  root?: string | undefined
  warn: Warn
  remotes: Remotes | undefined
  /** Files that led here, the first one first: one of them again has no end. */
  chain: readonly string[]
  /** Counts all files of the project. */
  read: { files: number }
}

/** A file, parsed. Its trees are changed by what is done with them: each use reads it again. */
export interface ModelFile {
  /** As messages name it: absolute, or `-`. */
  name: string
  documents: ParsedDocument[]
  /** Of a file that came from another machine: as in `ModelContext`. */
  root?: string | undefined
}

/** Reads and parses one file. Throws as docker does. */
export async function readModelFile(path: string, context: ModelContext, origin?: Origin): Promise<ModelFile> {
  if (++context.read.files > MAX_FILES) throw fault(`more than ${MAX_FILES} files are included or extended`, origin)
  return { name: path, documents: parseFile(await readBounded(path, origin), path) }
}
