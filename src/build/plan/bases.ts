/** The roots that stages stand on: scratch, images, named contexts. */
import { formatPlatform, samePlatform, type Platform } from "../../spec/platform.ts"
import type { Digest } from "../../spec/digest.ts"
import type { ImageConfig } from "../../spec/oci-image.ts"
import { parseReference } from "../../image/image.ts"
import type { NamedContext, SourceRange } from "../build.ts"
import { withSource } from "../../dockerfile/source-error.ts"
import type { Vertex } from "./definition.ts"
import { contextVertex } from "./context-vertex.ts"
import { StageImage } from "./stage-image.ts"
import type { PlanScope, StageState } from "./stage-state.ts"
import type { Stages } from "./stages.ts"
import { stepName } from "./vertex-name.ts"

/** A base image that the store holds. */
export interface ResolvedBase {
  /** The config's digest. */
  id: Digest
  config: ImageConfig
  /** What the name pointed at, for the vertex's name. */
  digest?: Digest
}

/** Finds or pulls an image. `name` as the Dockerfile has it, its variables replaced. */
export type ResolveBase = (name: string, platform: Platform, source: SourceRange | undefined) => Promise<ResolvedBase>

/** Undefined: it could not be had, and need not. */
type Found = ResolvedBase | "scratch" | { context: string } | undefined

/** Opens the bases of one plan, each image once. */
export class Bases {
  readonly #scope: PlanScope
  readonly #contexts: Readonly<Record<string, NamedContext>>
  readonly #resolve: ResolveBase
  readonly #tolerant: boolean
  readonly #implicitPlatform: boolean
  readonly #pending = new Map<string, Promise<ResolvedBase | undefined>>()

  constructor(
    scope: PlanScope,
    given: {
      contexts: Readonly<Record<string, NamedContext>>
      resolve: ResolveBase
      /** A base that cannot be had makes its stage unknown, not the plan fail. */
      tolerant: boolean
      implicitPlatform: boolean
    },
  ) {
    this.#scope = scope
    this.#contexts = given.contexts
    this.#resolve = given.resolve
    this.#tolerant = given.tolerant
    this.#implicitPlatform = given.implicitPlatform
  }

  /** Gives each of `states` that stands on no other stage its root and image. Images are resolved at once. */
  async open(states: Iterable<StageState>, stages: Stages): Promise<void> {
    const open = [...states].filter(({ parent, resolved }) => parent === undefined && !resolved)
    const found = await Promise.all(open.map((state) => this.#find(state, stages)))
    // vertices are named by their order in the file, whichever answered first
    for (const [index, state] of open.entries()) {
      this.#root(state, found[index])
      state.resolved = true
      // an image that only --from names has no instructions
      if (state.stage === undefined || state.context !== undefined) state.done = true
    }
  }

  async #find(state: StageState, stages: Stages): Promise<Found> {
    const context = state.context ?? (state.base === "scratch" ? undefined : stages.contextNamed(state.base))
    if (context === undefined) return state.base === "scratch" ? "scratch" : this.#image(state, state.base)
    const named = this.#contexts[context]
    if (named?.kind !== "image") return { context }
    return named.name === "scratch" ? "scratch" : this.#image(state, named.name)
  }

  async #image(state: StageState, name: string): Promise<ResolvedBase | undefined> {
    const platform = state.platform ?? this.#scope.target
    const key = `${formatPlatform(platform)} ${name}`
    const known = this.#pending.get(key) ?? this.#resolve(name, platform, state.source)
    this.#pending.set(key, known)
    try {
      return await known
    } catch (error) {
      if (this.#tolerant) return undefined
      throw withSource(this.#scope.dockerfile, state.source, error)
    }
  }

  #root(state: StageState, found: Found): void {
    const { target, vertices } = this.#scope
    const platform = state.platform ?? target
    const scratch = () =>
      vertices.make({
        operation: { kind: "scratch" },
        inputs: [],
        name: "[internal] scratch",
        ignoreCache: false,
        platform,
      })
    state.platform = platform
    if (found === undefined || found === "scratch") {
      state.unknownBase = found === undefined
      if (found === "scratch" && state.stage !== undefined) state.platform = target
      state.root = scratch()
      state.image = StageImage.empty(state.platform)
    } else if ("context" in found) {
      const files = contextVertex(found.context, this.#scope)
      state.image = StageImage.empty(platform)
      state.root = files
      if (state.stage !== undefined && state.context === undefined) {
        state.root = layerOf(files, scratch(), this.#scope)
        state.image.commit(files.name, this.#scope.epoch, state.root)
      }
    } else {
      state.image = StageImage.of(found.config)
      this.#warnOfPlatform(state, platform)
      if (this.#implicitPlatform && state.stage?.platform === undefined) state.platform = own(found.config, platform)
      const name = shownName(state.base, found.digest)
      state.root =
        found.config.rootfs.diff_ids.length === 0
          ? scratch()
          : vertices.make({
              operation: { kind: "image", name: shownName(state.base, undefined), id: found.id },
              inputs: [],
              name: stepName(state, this.#scope, `FROM ${name}`),
              source: state.source,
              ignoreCache: false,
              platform: state.platform,
            })
    }
  }

  #warnOfPlatform({ image, base, source, stage }: StageState, expected: Platform): void {
    if (image === undefined || stage === undefined) return
    if (image.os === expected.os && image.architecture === expected.architecture) return
    const actual = formatPlatform({
      os: image.os,
      architecture: image.architecture,
      ...(image.variant ? { variant: image.variant } : {}),
    })
    const message = `Base image ${base} was pulled with platform ${JSON.stringify(actual)}, expected ${JSON.stringify(formatPlatform(expected))} for current build`
    this.#scope.warnings.add("InvalidBaseImagePlatform", message, source, stage.comments)
  }
}

/** FROM a directory: its files are the first layer. */
function layerOf(files: Vertex, scratch: Vertex, { vertices, epoch }: PlanScope): Vertex {
  const everything = { do: "copy" as const, from: 1, sources: ["/"], target: "/", parents: false, exclude: [] }
  const actions = [{ ...everything, unpack: false, contentsOnly: true, allowEmpty: true }]
  return vertices.make({
    operation: { kind: "files", actions, ...(epoch === undefined ? {} : { epoch }) },
    inputs: [scratch, files],
    name: files.name,
    ignoreCache: false,
    platform: files.platform,
  })
}

// without --platform the stage is of the platform that the image has
function own({ os, architecture, variant }: ImageConfig, wanted: Platform): Platform {
  const actual = { os, architecture, ...(variant ? { variant } : {}) }
  return samePlatform({ os, architecture }, { os: wanted.os, architecture: wanted.architecture }) ? wanted : actual
}

/** `docker.io/library/debian:12@sha256:…`; a name that is none (an image id) as it is. */
function shownName(name: string, digest: Digest | undefined): string {
  try {
    const { registry, repository, tag, digest: pinned } = parseReference(name)
    const shownTag = tag ?? (pinned === undefined ? "latest" : undefined)
    const shownDigest = pinned ?? digest
    return `${registry}/${repository}${shownTag === undefined ? "" : `:${shownTag}`}${shownDigest === undefined ? "" : `@${shownDigest}`}`
  } catch {
    return name
  }
}
