/** Which stages there are, what each reads, and which of them the target needs. */
import { InvalidArgument, isSkiffError, NotFound } from "../../base/errors.ts"
import { familiarReference, parseReference } from "../../image/image.ts"
import { parsePlatform, type Platform } from "../../spec/platform.ts"
import type { BuildRequest, SourceRange } from "../build.ts"
import type { Dockerfile, Instruction, Stage } from "../../dockerfile/dockerfile.ts"
import { parseTrigger } from "../../dockerfile/parse-dockerfile.ts"
import { mountSource } from "../../dockerfile/run-mount.ts"
import { atSource, sourceError } from "../../dockerfile/source-error.ts"
import { didYouMean, nearest } from "../../base/suggest.ts"
import { expand, type Expansion } from "../../dockerfile/words.ts"
import { globalArguments } from "./arguments.ts"
import { newStage, type PlanScope, type StageState, type Step } from "./stage-state.ts"
import type { Warnings } from "./warnings.ts"

type StagesRequest = Pick<BuildRequest, "namedContexts" | "noCache" | "edits">

/** The stages of a Dockerfile by name and number, and the images that --from takes for stages. */
export class Stages {
  /** The file's own stages, then images that only --from names. */
  readonly all: StageState[] = []
  readonly #byName = new Map<string, StageState>()
  readonly #own: StageState[] = []
  readonly #images = new Map<string, StageState>()
  readonly #scope: PlanScope
  readonly #contexts: BuildRequest["namedContexts"]

  constructor(scope: PlanScope, { namedContexts, noCache, edits }: StagesRequest) {
    this.#scope = scope
    this.#contexts = namedContexts
    for (const [index, stage] of scope.dockerfile.stages.entries())
      this.#add(
        atSource(scope.dockerfile, stage.source, () =>
          this.#open(index === 0 && edits?.from ? { ...stage, base: edits.from } : stage, index),
        ),
        noCache,
      )
    for (const state of this.#own)
      state.steps = (state.stage?.instructions ?? []).map((instruction) => this.step(state, instruction, false))
    this.#refuseCircles()
    const [only, ...others] = this.all
    // buildkit counts what mounts read as a stage, if it is nothing
    if (only !== undefined && others.length === 0 && !only.steps.some(hasMounts)) only.shownName = ""
  }

  /** The stage of that name, or the last one. Throws NotFound. */
  target(name: string | undefined): StageState {
    const names = [...this.#byName.keys()]
    const found =
      name === undefined || name === ""
        ? this.#own.at(-1)
        : (this.#byName.get(name.toLowerCase()) ?? (/^\d+$/.test(name) ? this.#own[Number(name)] : undefined))
    if (found !== undefined) return found
    throw new NotFound(`target stage ${JSON.stringify(name)} could not be found${didYouMean(name ?? "", names)}`, {
      hint: names.length === 0 ? "no stage has a name: write FROM … AS NAME" : `the stages are ${names.join(", ")}`,
    })
  }

  /** An instruction with the stages that it reads. */
  step(state: StageState, instruction: Instruction, triggered: boolean): Step {
    const { dockerfile } = this.#scope
    const sources = atSource(dockerfile, instruction.source, () => this.#sourcesOf(instruction))
    for (const source of sources) if (source !== undefined) state.needs.set(source, instruction)
    return { instruction, sources, triggered }
  }

  /**
   * Puts the base's ONBUILD instructions before the stage's own; says whether they read stages or images that have to be
   * resolved now.
   */
  addTriggers(state: StageState, triggers: readonly string[]): boolean {
    const steps = triggers.map((trigger) =>
      this.step(state, parseTrigger(this.#scope.dockerfile, state.source, trigger), true),
    )
    state.steps = [...steps, ...state.steps]
    state.stepCount += steps.length
    return steps.some(({ sources }) => sources.some((source) => source !== undefined))
  }

  #open(stage: Stage, index: number): StageState {
    const base = this.#expandHead(stage, stage.base).text
    if (base === "")
      throw new InvalidArgument(`base name (${stage.base}) should not be blank`, {
        hint: [
          "its variables have no value: declare them with ARG before FROM",
          { do: "set", field: "buildArgs", value: "NAME=VALUE" },
        ],
      })
    const platform = this.#platformOf(stage)
    const context = stage.name === undefined ? undefined : this.contextNamed(stage.name)
    return newStage({
      stage,
      source: stage.source,
      base,
      platform,
      context,
      parent: context === undefined ? this.#byName.get(base) : undefined,
      shownName: stage.name ?? `stage-${index}`,
    })
  }

  #add(state: StageState, noCache: boolean | readonly string[]): void {
    const { stage } = state
    const name = stage?.name
    state.ignoreCache = typeof noCache === "boolean" ? noCache : noCache.some((wanted) => wanted.toLowerCase() === name)
    const ownSteps = (stage?.instructions ?? []).filter(({ kind }) => COUNTED.has(kind)).length
    if (state.context === undefined)
      state.stepCount = ownSteps + (state.base !== "scratch" && state.parent === undefined ? 1 : 0)
    this.all.push(state)
    this.#own.push(state)
    if (name !== undefined) this.#byName.set(name, state)
  }

  #expandHead(stage: Stage, word: string): Expansion {
    const { dockerfile, globals, warnings } = this.#scope
    const expansion = expand(word, globals, { escape: dockerfile.escape })
    const declared = new Set([...globals.keys(), ...dockerfile.args.flatMap(({ args }) => args.map(({ key }) => key))])
    for (const name of expansion.unset) {
      if (declared.has(name)) continue
      const near = nearest(name, declared, true)
      const message = `FROM argument '${name}' is not declared${near === undefined ? "" : ` (did you mean ${near}?)`}`
      warnings.add("UndefinedArgInFrom", message, stage.source, stage.comments)
    }
    return expansion
  }

  #platformOf(stage: Stage): Platform | undefined {
    if (stage.platform === undefined || stage.platform === "") return undefined
    const { globals, warnings } = this.#scope
    const { text, used, unset } = this.#expandHead(stage, stage.platform)
    if (text === "")
      throw new InvalidArgument(
        `empty platform value from expression ${stage.platform}${didYouMean([...unset][0] ?? "", globals.keys(), true)}`,
      )
    const platform = parsePlatform(text)
    if (used.size === 1 && unset.size === 0 && used.has("TARGETPLATFORM") && text === globals.get("TARGETPLATFORM")) {
      const message = `Setting platform to predefined ${stage.platform} in FROM is redundant as this is the default behavior`
      warnings.add("RedundantTargetPlatform", message, stage.source, stage.comments)
    }
    const isConstant = used.size === 0 && unset.size === 0
    if (isConstant && !stage.name?.includes(platform.os) && !stage.name?.includes(platform.architecture)) {
      const message = `FROM --platform flag should not use constant value ${JSON.stringify(text)}`
      warnings.add("FromPlatformFlagConstDisallowed", message, stage.source, stage.comments)
    }
    return platform
  }

  #sourcesOf(instruction: Instruction): (StageState | undefined)[] {
    if (instruction.kind === "copy" && instruction.from !== "")
      return [this.#copySource(instruction.from, instruction.source)]
    if (instruction.kind !== "run") return []
    return instruction.mounts.map((mount) => {
      const from = mountSource(mount)
      if (from === undefined || from === "") return undefined
      // buildkit knows no numbers here, but buildah does, and no image is called 0
      return (/^\d+$/.test(from) ? this.#own[Number(from)] : undefined) ?? this.#named(from, instruction.source)
    })
  }

  #copySource(from: string, source: SourceRange): StageState {
    if (expand(from, new Map(), { escape: this.#scope.dockerfile.escape }).text !== from)
      throw new InvalidArgument(
        "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
        { hint: "FROM $NAME AS alias, then --from=alias" },
      )
    if (!/^[+-]?\d+$/.test(from)) return this.#named(from, source)
    const stage = this.#own[Number(from)]
    if (stage === undefined)
      throw new InvalidArgument(`invalid stage index ${from}`, {
        hint: `there are ${this.#own.length} stages, counted from 0`,
      })
    return stage
  }

  /** A stage by its name; else an image (or named context), which becomes a stage without instructions. */
  #named(name: string, source: SourceRange): StageState {
    const known = this.#byName.get(name.toLowerCase()) ?? this.#images.get(name)
    if (known !== undefined) return known
    const image = newStage({ stage: undefined, source, base: name })
    this.#images.set(name, image)
    this.all.push(image)
    return image
  }

  /** Key of the named context that stands for `name`: as written, or as the image that both name. */
  contextNamed(name: string): string | undefined {
    if (/^(?:scratch|context)$/i.test(name)) return undefined
    if (Object.hasOwn(this.#contexts, name)) return name
    const wanted = shortName(name)
    return wanted === undefined ? undefined : Object.keys(this.#contexts).find((key) => shortName(key) === wanted)
  }

  #refuseCircles(): void {
    const safe = new Set<StageState>()
    const path: StageState[] = []
    const visit = (state: StageState) => {
      if (safe.has(state)) return
      path.push(state)
      for (const [need, { source }] of state.needs) {
        if (path.includes(need))
          throw sourceError(
            this.#scope.dockerfile,
            source,
            `circular dependency detected on stage: ${need.shownName}`,
            {
              hint: "a stage cannot read one that is made from it",
            },
          )
        visit(need)
      }
      path.pop()
      safe.add(state)
    }
    for (const state of this.#own) visit(state)
  }
}

const COUNTED = new Set<Instruction["kind"]>(["add", "copy", "run", "workdir"])

function hasMounts({ instruction }: Step): boolean {
  return instruction.kind === "run" && instruction.mounts.length > 0
}

function shortName(name: string): string | undefined {
  try {
    return familiarReference(parseReference(name)).replace(/:latest$/, "")
  } catch {
    return undefined
  }
}

/** Whether each FROM is a name when no build args are given: by the defaults alone. */
export function warnOfBadDefaults(
  dockerfile: Dockerfile,
  predefined: ReadonlyMap<string, string>,
  warnings: Warnings,
): void {
  try {
    const globals = globalArguments(dockerfile, predefined, new Map())
    for (const { base, source, comments } of dockerfile.stages) {
      const { text } = expand(base, globals, { escape: dockerfile.escape })
      if (shortName(text) !== undefined) continue
      const message = `Default value for ARG ${base} results in empty or invalid base image name`
      warnings.add("InvalidDefaultArgInFrom", message, source, comments)
    }
  } catch (error) {
    // ${V:?give V} is right to want a build arg
    if (!isSkiffError(error, "InvalidArgument")) throw error
  }
}
