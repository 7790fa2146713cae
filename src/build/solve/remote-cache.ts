/** A cache that other builds wrote elsewhere (`--cache-from`), as the solver sees it. What it says is not trusted further than its user trusts it. */
import type { DiffId } from "../../spec/digest.ts"
import type { RunMount } from "../plan/definition.ts"
import type { WorkContext } from "../execute/executor.ts"
import type { KeyPart } from "./key.ts"

/** A cache of `--cache-from`, read as far as its map. Its layers are fetched when a step asks for them. */
export interface RemoteCache {
  /** As the user named it. */
  readonly name: string
  /** Each after the one it stands on. */
  readonly steps: readonly RemoteStep[]
  /** Extracts the layer of a step into a directory. Throws NotFound, Unavailable; DataLoss for other bytes than it promised. */
  extract(step: RemoteStep, directory: string, context: WorkContext): Promise<void>
  /** Fills a directory with what `--mount=type=cache` held; undefined where the cache has nothing of that name. */
  mount(key: string): { fill(directory: string, context: WorkContext): Promise<void> } | undefined
}

/** A step's layer in it. */
export interface RemoteStep {
  /** The keys by definitions that lead to it. */
  keys: readonly string[]
  /** The step below; undefined: the base is. */
  parent: RemoteStep | undefined
  /** Of its layer. */
  diffId: DiffId
  slot: string
  description: string
  /** As of a record, but that what it stands on is told by `contentIdentity`. */
  parts: readonly KeyPart[]
  createdAt: Date
}

/** RUN --mount=type=cache. */
export type CacheMount = Extract<RunMount, { type: "cache" }>
