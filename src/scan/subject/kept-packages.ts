import { readFileSync, statSync } from "node:fs"
import { atomicWrite } from "../../base/atomic-write.ts"
import { hasErrno } from "../../base/errors.ts"
import { VERSION } from "../../base/version.ts"
import type { FoundPackages } from "../../sbom/sbom.ts"
import type { ScanOptions } from "../scan.ts"

/** Of what is kept: with other readers of packages it counts up. */
const FORM = 1

interface Kept {
  reader: string
  found: FoundPackages
}

/**
 * The packages of an image as they are kept beside its topmost layer, which stands for all below it; else found, and kept there. Only what all
 * files tell is kept, and only for this very program: another build of the same version may read more.
 */
export function keptPackages(file: string | undefined, options: ScanOptions, find: () => FoundPackages): FoundPackages {
  if (file === undefined || options.skipDirectories.length + options.skipFiles.length > 0) return find()
  const reader = `${FORM} ${programIdentity()} ${options.withPackageLayers === true ? "with layers" : "without layers"}`
  const kept = readKept(file) as Kept | undefined
  if (kept?.reader === reader) return { ...kept.found, distribution: kept.found.distribution ?? undefined }
  const found = find()
  atomicWrite(file, JSON.stringify({ reader, found } satisfies Kept))
  return found
}

/** Tells one build of this program from another. */
export function programIdentity(): string {
  const { size, mtimeMs } = statSync(process.execPath)
  return `${VERSION} ${size} ${mtimeMs}`
}

/** The document that a file keeps; undefined: none that can be read. */
export function readKept(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as unknown
  } catch (error) {
    // none yet, or cut by a crash of the machine
    if (hasErrno(error, "ENOENT") || error instanceof SyntaxError) return undefined
    throw error
  }
}
