import { closeSync, openSync, rmSync } from "node:fs"
import { atomicWrite } from "../../../base/atomic-write.ts"
import { FailedPrecondition, InvalidArgument } from "../../../base/errors.ts"
import { buildMetadata } from "../../../docker/build-metadata.ts"
import type { BuildEvent, BuildOptions, BuildResult } from "../../../build/build.ts"
import type { Engine } from "../../../engine/engine.ts"
import { arg } from "../../args.ts"
import { BUILD_FLAGS, type BuildFlags } from "../../build/flags.ts"
import { FilesOfBuild } from "../../build/files.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { openProgress, openSteps, type ProgressMode } from "../../build/progress.ts"
import { buildRequest, progressMode } from "../../build/request.ts"
import {
  cacheLines,
  checkLines,
  contextLine,
  costLines,
  failureLines,
  totalLine,
  warningLines,
} from "../../build/summary.ts"
import { command } from "../../command.ts"
import type { Out } from "../../out.ts"

const STANDARD_OUTPUT = 1
const STANDARD_ERROR = 2

/** Where a build is shown, and whether step by step. */
interface Shown {
  fd: number
  steps: boolean
}

export default command({
  summary: "Build an image from a Dockerfile",
  args: [arg.optional("PATH | URL | -")],
  flags: BUILD_FLAGS,
  examples: [
    "skiff build -t shop .",
    "skiff build -o out --target binaries .",
    "skiff build --secret id=token,env=TOKEN --build-arg VERSION=2 https://github.com/user/repo.git#main",
  ],
  async run({ args: [word = "."], flags, engine, out, dialect: { results } }) {
    using files = new FilesOfBuild()
    using interrupt = new AbortOnInterrupt()
    const found = await files.find(word, flags.file, flags.ignorefile)
    const request = buildRequest(found, flags, interrupt.signal)
    const toStandardOutput = request.outputs.some((output) => "path" in output && typeof output.path === "number")
    if (toStandardOutput && out.stdoutIsTerminal)
      throw new InvalidArgument("refusing to write an archive to the terminal", {
        hint: "pipe or redirect it, or name a file: -o type=tar,dest=FILE",
      })
    if (flags.check || flags.call !== "build") return await check(engine, request, out)
    // docker: a build that fails must not leave the id of an earlier one
    if (flags.iidfile !== undefined) rmSync(flags.iidfile, { force: true })
    const steps = results.buildsInSteps && progressMode(flags) === "auto"
    const show = steps
      ? { fd: toStandardOutput ? STANDARD_ERROR : STANDARD_OUTPUT, steps }
      : { fd: STANDARD_ERROR, steps }
    const result = await build(engine, request, { ...flags, ...show }, out)
    const id = idOf(result)
    if (flags.iidfile !== undefined && id !== undefined) atomicWrite(flags.iidfile, id, { mode: 0o644 })
    if (flags.metadataFile !== undefined)
      atomicWrite(flags.metadataFile, `${JSON.stringify(buildMetadata(result, request.tags), null, 2)}\n`, {
        mode: 0o644,
      })
    if (id !== undefined && (progressMode(flags) === "quiet" || results.buildPrintsId)) out.line(results.imageId(id))
  },
})

/** The image's; of several platforms, their index's digest. */
function idOf({ images, digest }: BuildResult): string | undefined {
  return images.length > 1 ? digest : images[0]?.id
}

async function check(engine: Engine, request: BuildOptions, out: Out): Promise<number> {
  const warnings = await (await engine.builds()).check(request)
  for (const line of checkLines(warnings)) out.line(line)
  return warnings.length > 0 ? 1 : 0
}

/** Builds before the user's eyes; summaries follow below. */
async function build(engine: Engine, request: BuildOptions, flags: BuildFlags & Shown, out: Out): Promise<BuildResult> {
  const builds = await engine.builds()
  const collector = new EventCollector()
  const mode: ProgressMode = progressMode(flags)
  using log = flags.logfile === undefined ? undefined : new LogFile(flags.logfile)
  using progress = flags.steps ? openSteps(log?.fd ?? flags.fd, flags.tag[0]) : openProgress(mode, log?.fd ?? flags.fd)
  const onEvent = (event: BuildEvent) => {
    collector.collect(event)
    progress.onEvent(event)
  }
  try {
    const result = await builds.build(request, onEvent)
    progress[Symbol.dispose]()
    if (mode !== "quiet") for (const line of warningLines(collector.warnings)) out.note(line)
    if (flags.explainCache) for (const line of cacheLines(collector.misses, collector.imported)) out.note(line)
    if (flags.explainLayers) {
      for (const line of costLines(result.costs)) out.note(line)
      if (result.contextSize) out.note(contextLine(result.contextSize))
    } else if (progress.isForPeople && result.costs.length > 0) out.note(totalLine(result.costs))
    return result
  } catch (error) {
    progress[Symbol.dispose]()
    if (progress.failed && !flags.steps) for (const line of failureLines(progress.failed)) out.note(line)
    if (mode !== "quiet") for (const line of warningLines(collector.warnings)) out.note(line)
    throw error
  }
}

/** In the place of standard error. Throws FailedPrecondition when it cannot be written. */
class LogFile implements Disposable {
  readonly fd: number

  constructor(path: string) {
    try {
      this.fd = openSync(path, "w", 0o644)
    } catch (cause) {
      throw new FailedPrecondition(`cannot write the log file "${path}"`, { cause })
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.fd)
  }
}

/** Keeps what is shown when all is over. */
class EventCollector {
  readonly warnings: Extract<BuildEvent, { kind: "warning" }>[] = []
  readonly misses: { step: string; reason: string }[] = []
  readonly imported: { step: string; from: string }[] = []
  readonly #names = new Map<number, string>()

  collect(event: BuildEvent): void {
    if (event.kind === "vertex") this.#names.set(event.vertex, event.name)
    else if (event.kind === "warning") this.warnings.push(event)
    else if (event.kind === "cached" && event.from !== undefined)
      this.imported.push({ step: this.#names.get(event.vertex) ?? "", from: event.from })
    else if (event.kind === "miss") {
      this.misses.push({ step: this.#names.get(event.vertex) ?? "", reason: event.reason })
    }
  }
}
