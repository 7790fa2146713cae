import type { ChainId, DiffId } from "../../spec/digest.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import type { Source } from "../execute/executor.ts"

/** What a vertex gave: a plain tree of files, or layers over each other. */
export type Result = TreeResult | LayersResult

/** Files as they lie on the host: a context. */
export interface TreeResult {
  kind: "tree"
  source: Source
}

/** A root file system, as the layers that it is made of. */
export interface LayersResult {
  kind: "layers"
  /** Equal for what was made by the same run of a step, or is the same image; never for other content. */
  identity: string
  /** Lowest first. */
  layers: readonly Layer[]
}

/** One layer of a result. */
export type Layer =
  /** Of a base image. */
  | { kind: "base"; chainId: ChainId; diffId: DiffId; descriptor: Descriptor; sizeBytes: number }
  /** Made by a step: a record of the build cache. */
  | { kind: "step"; id: string }

/** The result of `FROM scratch`: no layer at all. */
export const SCRATCH: LayersResult = { kind: "layers", identity: "scratch", layers: [] }
