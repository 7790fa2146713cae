/**
 * Planning: a Dockerfile and what was asked for become vertices, a config and a history, for one platform. The meaning is
 * BuildKit's: only the stages that the target needs are planned; variables are replaced in the order of the file.
 */
import { InvalidArgument } from "../../base/errors.ts"
import { DEFAULT_PATH } from "../../spec/docker/environment.ts"
import type { Platform } from "../../spec/platform.ts"
import type { BuildRequest, BuildWarning } from "../build.ts"
import { checkDockerfile } from "../../dockerfile/lint.ts"
import { checkSyntax } from "../../dockerfile/directives.ts"
import type { Dockerfile } from "../../dockerfile/dockerfile.ts"
import type { IgnoreMatcher } from "../../dockerfile/ignore-file.ts"
import { withSource } from "../../dockerfile/source-error.ts"
import type { Vertex } from "./definition.ts"
import { globalArguments, platformArguments } from "./arguments.ts"
import { Bases, type ResolveBase } from "./bases.ts"
import { type PlannedHistory, type PlannedImage } from "./stage-image.ts"
import { lintBuild } from "./lint.ts"
import { reachableFrom, type OpenStage, type PlanScope, type StageState } from "./stage-state.ts"
import { Stages, warnOfBadDefaults } from "./stages.ts"
import { enterDirectory, planStep } from "./step.ts"
import { inOrder, Vertices } from "./vertices.ts"
import { Warnings } from "./warnings.ts"

export type { ResolveBase, ResolvedBase } from "./bases.ts"
export type { PlannedHistory, PlannedImage } from "./stage-image.ts"

/** What a plan is made from; it reads no file and runs nothing but `resolveBase`. */
export interface PlanOptions {
  dockerfile: Dockerfile
  request: Pick<
    BuildRequest,
    "target" | "args" | "namedContexts" | "platforms" | "labels" | "edits" | "noCache" | "network" | "allow" | "epoch"
  >
  /** What the image is for, and where its RUNs run. */
  platform: Platform
  /** This host's. */
  buildPlatform: Platform
  resolveBase: ResolveBase
  /** What the ignore file leaves out: only to warn of a COPY of it. */
  ignore?: IgnoreMatcher
}

/** The graph of one platform, and the image that it leads to. */
export interface Plan {
  /** What was asked for: a last stage of another one does not change it. */
  platform: Platform
  dockerfile: Dockerfile
  /** The result. */
  vertex: Vertex
  /** All that it needs, inputs before their users; equal ones are one. */
  vertices: readonly Vertex[]
  image: PlannedImage
  /** The base image's lines first. Times are there only with an epoch. */
  history: readonly PlannedHistory[]
  /** SOURCE_DATE_EPOCH of the request, of a build arg, or of the Dockerfile. */
  epoch: number | undefined
  warnings: readonly BuildWarning[]
}

/**
 * Plans a build. Base images are resolved through `resolveBase`, several at once. Throws InvalidArgument, NotFound,
 * PermissionDenied, with the lines quoted.
 */
export async function planBuild(options: PlanOptions): Promise<Plan> {
  const { scope, stages } = await planStages(options, false)
  const { request, dockerfile } = options
  const target = openStage(stages.target(request.target))
  const { image, root } = target
  for (const name of request.edits?.unsetEnv ?? []) image.unsetEnv(name)
  if (Object.keys(request.labels).length > 0) image.config.Labels = { ...image.config.Labels, ...request.labels }
  scope.warnings.throwIfErrors()
  return {
    platform: scope.target,
    dockerfile,
    vertex: root,
    vertices: inOrder(root),
    image: image.finish(request.platforms.length === 0 ? undefined : scope.target),
    history: image.history,
    epoch: scope.epoch,
    warnings: scope.warnings.found,
  }
}

/**
 * `--check`: the warnings of all stages (or those that `--target` needs), by BuildKit's rules and ours. A base that cannot be
 * had is no error: then what depends on it is not linted. Throws for what no build could understand.
 */
export async function checkBuild(options: PlanOptions): Promise<BuildWarning[]> {
  const { scope, stages } = await planStages(options, true)
  lintBuild(options.dockerfile, stages.target(options.request.target), scope, stages)
  return scope.warnings.found.toSorted((a, b) => a.source.start - b.source.start)
}

// reads the file, resolves bases, then applies the instructions of one stage after the other
async function planStages(options: PlanOptions, onlyLint: boolean): Promise<{ scope: PlanScope; stages: Stages }> {
  const { request } = options
  const scope = openScope(options)
  const stages = new Stages(scope, request)
  const target = stages.target(request.target)
  const bases = new Bases(scope, {
    contexts: request.namedContexts,
    resolve: options.resolveBase,
    tolerant: onlyLint,
    implicitPlatform: request.platforms.length === 0,
  })
  const all = onlyLint && !request.target
  const wanted = () => {
    const reached = reachableFrom(target)
    return stages.all.filter((state) => all || reached.has(state))
  }
  // triggers of a base may read stages and images that nothing else did
  for (let more = true; more;) {
    await bases.open(wanted(), stages)
    more = readTriggers(wanted(), stages)
  }
  for (const state of wanted()) if (!state.done) planStage(state, scope, options)
  return { scope, stages }
}

function openScope({ dockerfile, request, platform, buildPlatform, ignore }: PlanOptions): PlanScope {
  const given = new Map(Object.entries(request.args))
  if (request.epoch !== undefined && !given.has("SOURCE_DATE_EPOCH"))
    given.set("SOURCE_DATE_EPOCH", String(request.epoch))
  const syntax = given.get("BUILDKIT_SYNTAX")
  if (syntax !== undefined) checkSyntax(syntax)
  const target = request.target ?? dockerfile.stages.at(-1)?.name ?? ""
  const none = new Map<string, string>()
  const warnings = new Warnings(dockerfile, given.get("BUILDKIT_DOCKERFILE_CHECK"))
  for (const { rule, message, source, comments } of checkDockerfile(dockerfile))
    warnings.add(rule, message, source, comments)
  warnOfBadDefaults(dockerfile, platformArguments(platform, buildPlatform, target, none), warnings)
  const globals = globalArguments(dockerfile, platformArguments(platform, buildPlatform, target, given), given)
  return {
    dockerfile,
    globals,
    given,
    epoch: request.epoch ?? parseEpoch(given.get("SOURCE_DATE_EPOCH") ?? globals.get("SOURCE_DATE_EPOCH")),
    target: platform,
    network: request.network,
    allow: request.allow,
    manyPlatforms: request.platforms.length > 1,
    ignore,
    vertices: new Vertices(),
    warnings,
  }
}

function parseEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined
  const epoch = /^\d{1,12}$/.test(text) ? Number(text) : NaN
  if (!Number.isSafeInteger(epoch))
    throw new InvalidArgument(`invalid SOURCE_DATE_EPOCH: ${JSON.stringify(text)}`, {
      hint: "expected seconds since 1970",
    })
  return epoch
}

/** Puts ONBUILD instructions of bases into their stages; says whether bases are still to be resolved. */
function readTriggers(states: Iterable<StageState>, stages: Stages): boolean {
  let more = false
  for (const state of states) {
    if (state.triggersRead || state.context !== undefined || state.stage === undefined) continue
    state.triggersRead = true
    const triggers = [...(state.image?.config.OnBuild ?? [])]
    if (state.image !== undefined) delete state.image.config.OnBuild
    for (const { instruction } of state.parent?.steps ?? [])
      if (instruction.kind === "onbuild") triggers.push(instruction.trigger)
    if (triggers.length > 0) more = stages.addTriggers(state, triggers) || more
  }
  return more
}

function planStage(state: StageState, scope: PlanScope, { dockerfile, request }: PlanOptions): void {
  const stage = openStage(state)
  const { config } = stage.image
  const { env = {}, unsetLabels = [], dropsBaseLabels = false } = request.edits ?? {}
  if (stage.parent === undefined)
    stage.image.dropLabels(dropsBaseLabels ? Object.keys(config.Labels ?? {}) : unsetLabels)
  // buildkit: PATH is always set
  if (!config.Env?.some((entry) => entry.startsWith("PATH="))) stage.image.setEnv("PATH", DEFAULT_PATH)
  for (const [name, value] of Object.entries(env)) stage.image.setEnv(name, value)
  for (const entry of config.Env ?? []) {
    const equals = entry.indexOf("=")
    stage.variables.set(equals < 0 ? entry : entry.slice(0, equals), equals < 0 ? "" : entry.slice(equals + 1))
  }
  if (config.WorkingDir) enterDirectory(stage, config.WorkingDir)
  for (const step of stage.steps)
    try {
      planStep(stage, step, scope)
    } catch (error) {
      throw withSource(dockerfile, step.instruction.source, error)
    }
  state.done = true
}

/** The stage with all that it takes from the one it stands on. */
function openStage(state: StageState): OpenStage {
  const { parent } = state
  if (parent !== undefined && state.root === undefined) {
    const { image, root, platform } = parent
    state.root = root
    state.image = image?.child()
    state.platform = platform
    state.variables = new Map(parent.variables)
    state.args = [...state.args, ...parent.args]
    state.workdirSet = parent.workdirSet
    state.unknownBase = parent.unknownBase
  }
  const { root, image, platform } = state
  if (root === undefined || image === undefined || platform === undefined)
    throw new Error(`stage ${state.shownName} is planned before its base`)
  return Object.assign(state, { root, image, platform })
}
