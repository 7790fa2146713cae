import type { Lease } from "../../content/content.ts"
import type { Predicate } from "../../spec/in-toto.ts"
import type { Materials } from "../attest/materials.ts"
import type { BuildEvents } from "../build-events.ts"
import type { BuildDirectory } from "../build-directory.ts"
import type { BuildRequest } from "../build.ts"
import type { BuildDeps } from "../deps.ts"
import type { Plan } from "../plan/plan.ts"
import type { LayerReader } from "../solve/layer-reader.ts"
import type { BuildRecords } from "../solve/records.ts"
import type { LayersResult } from "../solve/result.ts"
import type { StepRunner } from "../solve/step-runner.ts"

/** One platform's plan, and what it gave. */
export interface Solved {
  plan: Plan
  result: LayersResult
}

/** With what is attested of it. */
export interface Attested extends Solved {
  predicates: readonly Predicate[]
}

/** What every output of one build is made from. */
export interface ExportContext {
  deps: BuildDeps
  request: BuildRequest
  records: BuildRecords
  runner: StepRunner
  reader: LayerReader
  directory: BuildDirectory
  lease: Lease
  events: BuildEvents
  /** The build's, and when it began. */
  id: string
  startedAt: Date
  /** Undefined where nothing is to be attested. */
  materials: Materials | undefined
}
