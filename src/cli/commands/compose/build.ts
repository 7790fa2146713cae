import type { BuildChoices, ComposeEvent, Project } from "../../../compose/compose.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { checkLines } from "../../build/summary.ts"
import { BuildDisplay, buildMode } from "../../compose/build-display.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import type { ComposeSession } from "../../compose/compose-session.ts"
import { flag } from "../../flag.ts"
import type { Out } from "../../out.ts"

export default composeCommand({
  summary: "Build or rebuild services",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: {
    buildArg: flag.strings("Set build-time variables for services", "stringArray"),
    builder: flag.string("Set builder to use: there is one", "string"),
    check: flag.bool("Check build configuration"),
    compress: flag.bool("Compress the build context: it is read where it lies", { hidden: true }),
    forceRm: flag.bool("Always remove intermediate containers: there are none", { hidden: true }),
    memory: flag.size("Set memory limit for the steps of the builds", { short: "m" }),
    noCache: flag.bool("Do not use cache when building the image"),
    noRm: flag.bool("Keep intermediate containers: there are none", { hidden: true }),
    parallel: flag.bool("Build images in parallel: always done", { hidden: true, initial: true }),
    print: flag.bool("Print equivalent bake file"),
    progress: flag.choice(["auto", "tty", "plain", "json", "quiet"], "Type of progress output", { hidden: true }),
    provenance: flag.string("Add a provenance attestation"),
    pull: flag.bool("Always attempt to pull a newer version of the image"),
    push: flag.bool("Push service images"),
    quiet: flag.bool("Suppress the build output", { short: "q" }),
    sbom: flag.string("Add a SBOM attestation"),
    ssh: flag.strings(
      "Set SSH authentications used when building service images. (use 'default' for the agent)",
      "string",
    ),
    withDependencies: flag.bool("Also build dependencies (transitively)"),
  },
  examples: ["skiff compose build", "skiff compose build --no-cache --pull web"],
  async run({ args: [names], flags, compose, out }) {
    using interrupt = new AbortOnInterrupt()
    const project = await compose.project(names, { skipEnvironmentResolution: true })
    const { separator } = compose
    const choices: BuildChoices = {
      separator,
      args: Object.fromEntries(flags.buildArg.map((text) => argument(text))),
      noCache: flags.noCache,
      pull: flags.pull,
      push: flags.push,
      ssh: flags.ssh,
      ...(flags.provenance === undefined ? {} : { provenance: flags.provenance }),
      ...(flags.sbom === undefined ? {} : { sbom: flags.sbom }),
      memoryBytes: flags.memory,
    }
    const chosen = flags.withDependencies ? withDependencies(project, names) : names
    const domain = await compose.compose()
    if (flags.print) return out.line(JSON.stringify(await domain.bakeFile(project, chosen, choices), null, 2))
    if (flags.check) return check(await domain.check(project, chosen, choices), out)
    const built: ComposeEvent[] = []
    using display = new BuildDisplay(buildMode(flags.quiet, { progress: flags.progress ?? compose.flags.progress }))
    try {
      await domain.build(project, chosen, {
        ...choices,
        limit: compose.parallelLimit,
        signal: interrupt.signal,
        isDryRun: compose.isDryRun,
        onEvent: (event) => void (event.state === "Built" && built.push(event)),
        onBuildEvent: display.onBuildEvent,
      })
    } catch (error) {
      display.explainFailure()
      throw error
    }
    display[Symbol.dispose]()
    if (!flags.quiet) await showBuilt(compose, built)
  },
})

async function showBuilt(compose: ComposeSession, built: readonly ComposeEvent[]): Promise<void> {
  using lines = await compose.display("Building")
  for (const event of built.toSorted((a, b) => (a.name < b.name ? -1 : 1))) lines.onEvent(event)
}

function argument(text: string): [name: string, value: string | undefined] {
  const equals = text.indexOf("=")
  if (text === "" || equals === 0)
    throw new UsageError(`invalid build argument "${text}"`, { hint: "expected KEY=VALUE" })
  return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)]
}

/** Those that are named, and all that they depend on. */
function withDependencies({ services }: Project, names: readonly string[]): string[] {
  const found = new Set(names)
  for (const name of found) for (const other of Object.keys(services[name]?.depends_on ?? {})) found.add(other)
  return [...found]
}

function check(
  warnings: Awaited<ReturnType<Awaited<ReturnType<ComposeSession["compose"]>>["check"]>>,
  out: Out,
): number {
  for (const [service, found] of warnings) {
    out.line(`${service}:`)
    for (const line of checkLines(found)) out.line(line)
  }
  return [...warnings.values()].some((found) => found.length > 0) ? 1 : 0
}
