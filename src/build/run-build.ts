import { limiter } from "../base/limiter.ts"
import { trace } from "../base/trace.ts"
import { Cancelled, InvalidArgument } from "../base/errors.ts"
import { availableParallelism } from "node:os"
import type { Lease } from "../content/content.ts"
import { hostPlatform, type Platform } from "../spec/platform.ts"
import { BuildEvents } from "./build-events.ts"
import type { BuildDeps } from "./deps.ts"
import type { BuildRequest, BuildResult, BuildWarning, ContextSize, OnBuildEvent } from "./build.ts"
import { openContext, type OpenedContext } from "./context/open-context.ts"
import { readDockerfile, readIgnoreFile } from "./context/read-dockerfile.ts"
import type { Dockerfile } from "../dockerfile/dockerfile.ts"
import type { IgnoreMatcher } from "../dockerfile/ignore-file.ts"
import { parseDockerfile } from "../dockerfile/parse-dockerfile.ts"
import { quoteSource, withSource } from "../dockerfile/source-error.ts"
import { checkOutputs } from "./export/check-outputs.ts"
import type { Solved } from "./export/context.ts"
import { exportResults } from "./export/export-results.ts"
import { locateLayer } from "./export/line-of-layer.ts"
import { Materials } from "./attest/materials.ts"
import { baseLayers } from "./solve/base-layers.ts"
import { makeTree } from "./context/make-tree.ts"
import { checkBuild, planBuild, type PlanOptions } from "./plan/plan.ts"
import { proxyVariables } from "./plan/proxy.ts"
import { Warnings } from "./plan/warnings.ts"
import { secretWarnings } from "./secret-warnings.ts"
import { resolveBase } from "./resolve-base.ts"
import type { BuildCaches } from "./cache/build-caches.ts"
import type { Vertex } from "./plan/definition.ts"
import type { Layer } from "./solve/result.ts"
import { LayerReader } from "./solve/layer-reader.ts"
import { BuildRecords } from "./solve/records.ts"
import { Solver, StepFailure, type SolverOptions } from "./solve/solver.ts"
import { StepRunner } from "./solve/step-runner.ts"
import type { BuildDirectory } from "./build-directory.ts"
import { isSingleUid } from "./execute/isolation.ts"
import type { Source, Executor } from "./execute/executor.ts"

const LEAST_JOBS = 4

/** Builds what `request` asks for. */
export async function runBuild(deps: BuildDeps, request: BuildRequest, onEvent: OnBuildEvent): Promise<BuildResult> {
  trace("build loaded")
  checkOutputs(request)
  if ((await deps.directories.sweep()) > 0) await deps.collect()
  await using stack = new AsyncDisposableStack()
  const lease = stack.use(await deps.leases.open())
  const directory = stack.use(deps.directories.open())
  const executor = stack.use(deps.openExecutor(directory))
  const build = new Build(deps, request, onEvent, { lease, directory, executor })
  const result = await build.run()
  trace("exported")
  return result
}

/** Lints the Dockerfile of `request`, and builds nothing. */
export async function checkRequest(deps: BuildDeps, request: BuildRequest): Promise<BuildWarning[]> {
  await using stack = new AsyncDisposableStack()
  const lease = stack.use(await deps.leases.open())
  const directory = stack.use(deps.directories.open())
  const executor = stack.use(deps.openExecutor(directory))
  return await new Build(deps, request, () => {}, { lease, directory, executor }).check()
}

/** What a build has when all is solved, and nothing is exported. */
interface SolvedBuild {
  solved: readonly Solved[]
  solver: Solver
  reader: LayerReader
  runner: StepRunner
  caches: BuildCaches | undefined
}

class Build {
  readonly #deps: BuildDeps
  readonly #request: BuildRequest
  readonly #lease: Lease
  readonly #directory: BuildDirectory
  readonly #executor: Executor
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #events: BuildEvents
  readonly #records: BuildRecords
  readonly #contexts = new Map<string, Promise<OpenedContext>>()
  readonly #startedAt = new Date()
  readonly #materials: Materials | undefined

  constructor(
    deps: BuildDeps,
    request: BuildRequest,
    onEvent: OnBuildEvent,
    open: { lease: Lease; directory: BuildDirectory; executor: Executor; records?: BuildRecords },
  ) {
    this.#deps = deps
    this.#request = request
    this.#lease = open.lease
    this.#directory = open.directory
    this.#executor = open.executor
    this.#signal = request.signal ? AbortSignal.any([request.signal, this.#stop.signal]) : this.#stop.signal
    this.#events = new BuildEvents(onEvent, this.#signal)
    this.#records = open.records ?? new BuildRecords(deps.db)
    this.#materials = request.attestations?.length ? new Materials() : undefined
  }

  async run(): Promise<BuildResult> {
    return await this.#solve(async ({ solved, solver, reader, runner, caches }) => {
      if (this.#request.verifyReproducible) await this.#verify(solved, reader)
      const result = await exportResults((await caches?.inlined(solved, solver, reader)) ?? solved, {
        deps: this.#deps,
        request: this.#request,
        records: this.#records,
        runner,
        reader,
        directory: this.#directory,
        lease: this.#lease,
        events: this.#events,
        id: crypto.randomUUID(),
        startedAt: this.#startedAt,
        materials: this.#materials,
      })
      await caches?.export(solved, solver, reader)
      return this.#request.weighsContext ? { ...result, contextSize: await this.#contextSize() } : result
    })
  }

  async #contextSize(): Promise<ContextSize> {
    const [{ contextSize }, { path }, { ignore }] = await Promise.all([
      import("./context/context-size.ts"),
      this.#context("context"),
      this.#read(),
    ])
    return contextSize(path, ignore)
  }

  /** Builds all of it again, from nothing but the base images, and throws where that gave something else. */
  async #verify(solved: readonly Solved[], reader: LayerReader): Promise<void> {
    const [{ compareResults }, { ThrowAwayRecords }] = await Promise.all([
      import("./verify/compare-results.ts"),
      import("./verify/throw-away-records.ts"),
    ])
    const deps = this.#deps
    await using stack = new AsyncDisposableStack()
    // last of all, when no lease holds its snapshots any more
    stack.defer(async () => void (await deps.collect()))
    const lease = stack.use(await deps.leases.open())
    const directory = stack.use(deps.directories.open())
    const executor = stack.use(deps.openExecutor(directory))
    const records = new ThrowAwayRecords(deps.db)
    const request: BuildRequest = {
      ...this.#request,
      outputs: [],
      cacheFrom: [],
      cacheTo: [],
      attestations: [],
      // the same base images
      pull: this.#request.pull === "never" ? "never" : "missing",
    }
    const again = new Build(deps, request, this.#events.inner("again: "), { lease, directory, executor, records })
    await again.#solve(async (second) => {
      const first = { solved, reader, records: this.#records }
      await compareResults(first, { ...second, records }, deps.snapshots)
    })
  }

  async #solve<T>(use: (built: SolvedBuild) => Promise<T>): Promise<T> {
    const { dockerfile, ignore } = await this.#read()
    const [plans, caches] = await Promise.all([
      Promise.all(this.#platforms.map((platform) => planBuild(this.#planOptions(dockerfile, ignore, platform)))),
      this.#openCaches(),
    ]).catch((error: unknown) => {
      this.#stop.abort()
      throw error
    })
    trace("planned")
    for (const plan of plans) this.#events.announce(plan.vertices)
    for (const warning of plans.flatMap(({ warnings }) => warnings)) this.#events.warn(warning)

    const reader = new LayerReader(this.#records, this.#deps.snapshots, this.#signal)
    // SOURCE_DATE_EPOCH may come from the Dockerfile
    const epoch = this.#request.rewriteTimes ? plans.find((plan) => plan.epoch !== undefined)?.epoch : undefined
    await using runner = this.#openRunner(epoch)
    const solver = this.#openSolver(runner, reader, { dockerfile, ignore, epoch, remote: caches?.remote })
    try {
      const solved = await Promise.all(
        plans.map(async (plan): Promise<Solved> => ({ plan, result: await solver.layers(plan.vertex) })),
      )
      trace("solved")
      return await use({ solved, solver, reader, runner, caches }).catch((error: unknown) => {
        throw locateLayer(error, reader, solved)
      })
    } catch (error) {
      throw this.#located(error, dockerfile)
    } finally {
      this.#stop.abort()
      // nothing may be mounted or read any more when the directory goes
      await solver.finish()
      await reader.finish()
    }
  }

  async check(): Promise<BuildWarning[]> {
    const { dockerfile, ignore } = await this.#read()
    const warnings = await checkBuild(this.#planOptions(dockerfile, ignore, this.#platforms[0] ?? hostPlatform()))
    return warnings.map(({ rule, message, hint, source }) => {
      return { rule, message, hint, source, quote: quoteSource(dockerfile, source) }
    })
  }

  /** Those that others wrote, or shall read; a build without them loads nothing of it. */
  async #openCaches(): Promise<BuildCaches | undefined> {
    const { cacheFrom = [], cacheTo = [] } = this.#request
    if (cacheFrom.length + cacheTo.length === 0) return undefined
    const { BuildCaches } = await import("./cache/build-caches.ts")
    return await BuildCaches.open({
      deps: this.#deps,
      request: this.#request,
      records: this.#records,
      lease: this.#lease,
      events: this.#events,
      signal: this.#signal,
    })
  }

  get #platforms(): readonly Platform[] {
    return this.#request.platforms.length > 0 ? this.#request.platforms : [hostPlatform()]
  }

  async #read(): Promise<{ dockerfile: Dockerfile; ignore: IgnoreMatcher | undefined }> {
    const context = await this.#context("context")
    const found = readDockerfile(this.#request, context)
    return {
      dockerfile: parseDockerfile(found.text, found.name),
      ignore: readIgnoreFile(this.#request, context, found),
    }
  }

  #planOptions(dockerfile: Dockerfile, ignore: IgnoreMatcher | undefined, platform: Platform): PlanOptions {
    return {
      dockerfile,
      request: this.#request,
      platform,
      buildPlatform: hostPlatform(),
      resolveBase: async (name, wanted) => {
        const base = await this.#resolveBase(name, wanted)
        const digest = base.digest ?? this.#deps.images.get(base.id).manifest.digest
        this.#materials?.addImage(name, wanted, digest, platform)
        return base
      },
      ...(ignore ? { ignore } : {}),
    }
  }

  /** A pull is shown as a line of its own; what is here costs none. */
  async #resolveBase(name: string, platform: Platform) {
    const { images } = this.#deps
    const { pull } = this.#request
    if (pull !== "always" && images.find(name) !== undefined)
      return await resolveBase(images, name, platform, this.#request, { signal: this.#signal })
    return await this.#events.step(`[internal] load metadata for ${name}`, (number) => {
      const { onProgress } = this.#events.contextOf(number)
      return resolveBase(images, name, platform, this.#request, {
        signal: this.#signal,
        onProgress,
      })
    })
  }

  /** Contexts are opened when they are first read, and once. */
  #context(name: string): Promise<OpenedContext> {
    let opened = this.#contexts.get(name)
    if (opened === undefined) this.#contexts.set(name, (opened = this.#openContext(name)))
    return opened
  }

  async #openContext(name: string): Promise<OpenedContext> {
    const context = name === "context" ? this.#request.context : this.#request.namedContexts[name]
    if (context === undefined || context.kind === "image") throw new InvalidArgument(`no such build context: "${name}"`)
    const open = (number: number): Promise<OpenedContext> =>
      openContext(context, {
        executor: this.#executor,
        makeDirectory: (what) => this.#directory.make(what),
        work: this.#events.contextOf(number),
        keepGitDir: /^(?:1|t|true)$/i.test(this.#request.args["BUILDKIT_CONTEXT_KEEP_GIT_DIR"] ?? ""),
        materials: this.#materials,
      })
    if (context.kind === "directory" || context.kind === "empty") return await open(0)
    return await this.#events.step(`[internal] load ${name === "context" ? "build context" : `context ${name}`}`, open)
  }

  /** A named directory has an ignore file of its own. */
  async #contextSource(name: string, ignore: IgnoreMatcher | undefined): Promise<Source> {
    const context = await this.#context(name)
    const { path, keepsOwners = false } = context
    const own = name === "context" ? ignore : readIgnoreFile({ ignoreFile: undefined }, context, {})
    if (own === undefined) return { path, keepsOwners }
    return {
      path,
      keepsOwners,
      excludes: (each) => own.excludes(each),
      mayHoldIncluded: (each) => own.mayHoldIncluded(each),
    }
  }

  /** `epoch`: no file of a new layer is younger, in seconds. */
  #openRunner(epoch: number | undefined): StepRunner {
    const { secrets, ssh, extraHosts, ulimits, resources, shmSizeBytes, runtime, isolation, more, args } = this.#request
    return new StepRunner({
      records: this.#records,
      snapshots: this.#deps.snapshots,
      executor: this.#executor,
      directory: this.#directory,
      lease: this.#lease,
      settings: {
        secrets,
        ssh,
        extraHosts,
        ulimits,
        resources,
        shmSizeBytes,
        runtime,
        isolation,
        more,
        proxy: proxyVariables(args),
      },
      epoch,
    })
  }

  #openSolver(
    runner: StepRunner,
    reader: LayerReader,
    {
      dockerfile,
      ignore,
      epoch,
      remote,
    }: {
      dockerfile: Dockerfile
      ignore: IgnoreMatcher | undefined
      epoch: number | undefined
      remote: SolverOptions["remote"]
    },
  ): Solver {
    const deps = this.#deps
    const warnings = new Warnings(dockerfile, this.#request.args.BUILDKIT_DOCKERFILE_CHECK)
    return new Solver({
      records: this.#records,
      runner,
      reader,
      executor: this.#executor,
      locks: deps.directories.locks,
      limit: limiter(this.#request.jobs ?? Math.max(availableParallelism(), LEAST_JOBS)),
      signal: this.#signal,
      conditions: { epoch, isSingleUid: isSingleUid(this.#request.isolation), bounds: boundsOf(this.#request) },
      baseLayers: (vertex) => this.#baseLayers(vertex),
      tree: (vertex) =>
        makeTree(vertex.operation, {
          executor: this.#executor,
          makeDirectory: (what) => this.#directory.make(what),
          context: (name) => this.#contextSource(name, ignore),
          work: this.#events.context(vertex),
          materials: this.#materials,
        }),
      hold: (ids) =>
        this.#records.transaction(() => {
          for (const id of ids) this.#lease.addSnapshot(id)
          this.#records.countUse(ids)
        }),
      events: this.#events,
      onSecrets: (vertex, found) => {
        for (const warning of secretWarnings(warnings, dockerfile, vertex, found)) this.#events.warn(warning)
      },
      ...(this.#request.cacheTtlMs === undefined ? {} : { oldest: new Date(Date.now() - this.#request.cacheTtlMs) }),
      ...(remote ? { remote } : {}),
    })
  }

  /** Held from here on: somebody may remove the image meanwhile. */
  async #baseLayers(vertex: Vertex): Promise<readonly Layer[]> {
    const layers = await baseLayers(this.#deps.images, vertex)
    this.#records.transaction(() => {
      for (const layer of layers)
        if (layer.kind === "base") {
          this.#lease.addSnapshot(layer.chainId)
          this.#lease.addBlob(layer.descriptor.digest)
        }
    })
    return layers
  }

  /** The error to tell: of the step that failed, with its lines; or that the user stopped it. */
  #located(error: unknown, dockerfile: Dockerfile): unknown {
    if (this.#request.signal?.aborted) return new Cancelled("the build was cancelled", { cause: error })
    if (!(error instanceof StepFailure)) return error
    return error.source === undefined ? error.cause : withSource(dockerfile, error.source, error.cause)
  }
}

/** What the request holds RUN to beside the Dockerfile, and a program may write down; undefined where it says nothing. */
function boundsOf({ ulimits, more }: Pick<BuildRequest, "ulimits" | "more">): unknown {
  const { securityOptions = [] } = more ?? {}
  return ulimits.length + securityOptions.length === 0 ? undefined : { ulimits, securityOptions }
}
