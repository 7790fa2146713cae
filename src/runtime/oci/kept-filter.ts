/**
 * The seccomp filter that crun compiles of a container's rules at each create (2.5 ms), and leaves beside its state. Of the default
 * rules, the same for most containers, it is kept while the machine runs, and handed back by the annotation that crun takes
 * in place of compiling (crun(1), `run.oci.seccomp_bpf_data`). The rules stay in `config.json`: a crun that knows no such
 * annotation compiles them as before.
 */
import { mkdirSync, readFileSync, statSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import { hasErrno } from "../../base/errors.ts"
import type { OciConfig } from "../../spec/oci-runtime.ts"
import type { Runtime } from "../runtime.ts"

const ANNOTATION = "run.oci.seccomp_bpf_data"
/** Begins all annotations that make crun compile something else of the rules, or nothing. */
const OF_SECCOMP = "run.oci.seccomp"

/**
 * The file of one set of rules, as this crun compiles it; undefined where no crun is called directly, and for a container whose
 * annotations choose a filter: kept, it would be every other container's.
 */
export function filterFile(
  stateRoot: string,
  rules: string,
  { path, annotations = {} }: Pick<Runtime, "path"> & Pick<OciConfig, "annotations">,
): string | undefined {
  if (basename(path) !== "crun") return undefined
  if (Object.keys(annotations).some((name) => name.startsWith(OF_SECCOMP))) return undefined
  const { mtimeMs, size } = statSync(path)
  return join(stateRoot, "seccomp", `${rules}-${mtimeMs.toString(36)}-${size.toString(36)}`)
}

/** Gives the container the filter in `file`. False: there is none yet. */
export function handBackFilter(config: OciConfig, file: string): boolean {
  try {
    const filter = readFileSync(file, "base64")
    // no filter that crun made is empty, and an empty one would let everything through
    if (filter === "") return false
    config.annotations = { ...config.annotations, [ANNOTATION]: filter }
    return true
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return false
    throw error
  }
}

/** Keeps the filter of a container that crun has created with these rules. Where crun left none, nothing. */
export function keepFilter(stateRoot: string, id: string, file: string): void {
  let filter: Buffer
  try {
    filter = readFileSync(join(stateRoot, "crun", id, "seccomp.bpf"))
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return // with a cache of its own it leaves none
    throw error
  }
  if (filter.length === 0) return
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  atomicWrite(file, filter)
}
