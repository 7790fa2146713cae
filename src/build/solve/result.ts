import type { ChainId, DiffId } from "../../spec/digest.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import type { Source } from "../execute/executor.ts"

/** What a vertex gave: a plain tree of files, or layers over each other. */
export type Result = TreeResult | LayersResult

export interface TreeResult {
  kind: "tree"
  source: Source
}

export interface LayersResult {
  kind: "layers"
  /** Equal for what was made by the same run of a step, or is the same image; never for other content. */
  identity: string
  /** Lowest first. */
  layers: readonly Layer[]
}

export type Layer =
  /** Of a base image. */
  | { kind: "base"; chainId: ChainId; diffId: DiffId; descriptor: Descriptor; sizeBytes: number }
  /** Made by a step: a record of the build cache. */
  | { kind: "step"; id: string }

export const SCRATCH: LayersResult = { kind: "layers", identity: "scratch", layers: [] }
