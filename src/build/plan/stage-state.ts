import type { Platform } from "../../spec/platform.ts"
import type { SourceRange } from "../build.ts"
import type { Dockerfile, Instruction, Stage } from "../../dockerfile/dockerfile.ts"
import type { IgnoreMatcher } from "../../dockerfile/ignore-file.ts"
import type { Vertex } from "./definition.ts"
import type { StageImage } from "./stage-image.ts"
import type { Vertices } from "./vertices.ts"
import type { Warnings } from "./warnings.ts"

/** An instruction of a stage, and the stages or images it reads: for RUN one place for each mount. */
export interface Step {
  instruction: Instruction
  sources: readonly (StageState | undefined)[]
  /** From the base image's ONBUILD. */
  triggered: boolean
}

/** What all steps of a plan share. */
export interface PlanScope {
  dockerfile: Dockerfile
  globals: ReadonlyMap<string, string>
  /** `--build-arg`. */
  given: ReadonlyMap<string, string>
  epoch: number | undefined
  target: Platform
  network: "default" | "none" | "host"
  allow: readonly string[]
  manyPlatforms: boolean
  ignore: IgnoreMatcher | undefined
  vertices: Vertices
  warnings: Warnings
}

/** One stage, or an image that only --from names, while it is planned. */
export interface StageState {
  /** Undefined for an image that only --from names. */
  stage: Stage | undefined
  source: SourceRange
  /** Expanded. */
  base: string
  parent: StageState | undefined
  /** Key in the request, when the whole stage is given by --build-context. */
  context: string | undefined
  platform: Platform | undefined
  steps: Step[]
  /** What it reads, and the instruction that does. */
  needs: Map<StageState, Instruction>
  ignoreCache: boolean

  /** In vertex names; empty for the only stage of a file. */
  shownName: string
  stepCount: number
  stepIndex: number

  resolved: boolean
  triggersRead: boolean
  done: boolean
  /** The base could not be had, and the plan is only to be linted: its variables are not known. */
  unknownBase: boolean

  root: Vertex | undefined
  image: StageImage | undefined
  /** ENV and ARG in force. */
  variables: Map<string, string>
  directory: string
  /** ARGs declared so far: RUN's history shows them. */
  args: { key: string; value?: string }[]
  workdirSet: boolean
  once: Map<"cmd" | "entrypoint" | "healthcheck", Instruction>
  /** Ports that its EXPOSE instructions have named. */
  exposed: number
}

/** A stage that is being planned: its root and image are there. */
export type OpenStage = StageState & { root: Vertex; image: StageImage; platform: Platform }

/** A stage of which nothing is planned yet. */
export function newStage(given: Pick<StageState, "stage" | "source" | "base"> & Partial<StageState>): StageState {
  return {
    parent: undefined,
    context: undefined,
    platform: undefined,
    steps: [],
    needs: new Map(),
    ignoreCache: false,
    shownName: "",
    stepCount: 0,
    stepIndex: 0,
    resolved: false,
    triggersRead: false,
    done: false,
    unknownBase: false,
    root: undefined,
    image: undefined,
    variables: new Map(),
    directory: "/",
    args: [],
    workdirSet: false,
    once: new Map(),
    exposed: 0,
    ...given,
  }
}

/** The stage and all that it stands on or reads. */
export function reachableFrom(stage: StageState): Set<StageState> {
  const found = new Set<StageState>()
  const open = [stage]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue
    found.add(next)
    if (next.parent !== undefined) open.push(next.parent)
    open.push(...next.needs.keys())
  }
  return found
}
