import { atomicWrite } from "../../../base/atomic-write.ts"
import { Unsupported } from "../../../base/errors.ts"
import {
  listTargets,
  printable,
  resolveBake,
  variableText,
  type BakePlan,
  type Definition,
} from "../../../bake/bake.ts"
import { buildMetadata } from "../../../docker/build-metadata.ts"
import type { Engine } from "../../../engine/engine.ts"
import { callerEnvironment } from "../../../sys/process/caller-environment.ts"
import { arg } from "../../args.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { buildTargets, type BuiltTarget } from "../../bake/build-targets.ts"
import { checkEntitlements } from "../../bake/entitlements.ts"
import { readDefinition } from "../../bake/read-definition.ts"
import { targetRequest } from "../../bake/target-request.ts"
import { withoutValue } from "../../build/foreign-flag.ts"
import { FilesOfBuild } from "../../build/files.ts"
import { PROGRESS_MODES } from "../../build/progress.ts"
import { checkLines } from "../../build/summary.ts"
import { command } from "../../command.ts"
import { BuildDisplay } from "../../compose/build-display.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag, type FlagValues } from "../../flag.ts"
import { BUILDX_FLAGS } from "../../one-builder.ts"
import type { Out } from "../../out.ts"
import { alignColumns } from "../../output/columns.ts"

const FLAGS = {
  ...BUILDX_FLAGS,
  allow: flag.strings("Allow build to access specified resources", "stringArray"),
  call: flag.choice(["build", "check", "lint"], 'Set method for evaluating build ("check")', { initial: "build" }),
  check: flag.bool('Shorthand for "--call=check"'),
  file: flag.strings("Build definition file", "stringArray", { short: "f" }),
  list: flag.string("List targets or variables"),
  load: flag.bool('Shorthand for "--set=*.output=type=docker" (conditional)'),
  metadataFile: flag.string("Write build result metadata to a file"),
  noCache: flag.bool("Do not use cache when building the image"),
  print: flag.bool("Print the options without building"),
  progress: flag.choice(PROGRESS_MODES, "Set type of progress output. Use plain to show container output"),
  provenance: withoutValue(flag.string('Shorthand for "--set=*.attest=type=provenance"'), "true"),
  pull: flag.bool("Always attempt to pull all referenced images"),
  push: flag.bool('Shorthand for "--set=*.output=type=registry" (conditional)'),
  sbom: withoutValue(flag.string('Shorthand for "--set=*.attest=type=sbom"'), "true"),
  set: flag.strings('Override target value (e.g., "targetpattern.key=value")', "stringArray"),
}

type BakeFlags = FlagValues<typeof FLAGS>

export default command({
  summary: "Build from a file",
  args: [arg.rest("[TARGET...]")],
  flags: FLAGS,
  examples: ["skiff bake", "skiff bake --print web", "skiff bake -f release.hcl --set '*.platform=linux/arm64' --push"],
  async run({ args: [names], flags, engine, out }) {
    const remote = names.find((name) => name.includes("://") || name.startsWith("git@"))
    if (remote !== undefined)
      throw new Unsupported(`a bake definition from "${remote}" is not supported yet`, { hint: "clone it first" })
    const definition = await readDefinition(engine, flags.file)
    if (flags.list !== undefined) return list(definition, flags.list, out)
    const plan = resolveBake(definition, {
      names,
      overrides: [...flags.set, ...overridesOf(flags)],
      environment: callerEnvironment(),
      push: flags.push,
      load: flags.load,
    })
    if (flags.print) return out.line(JSON.stringify(printable(plan), null, 2))
    checkEntitlements(plan, flags.allow, process.cwd())
    if (flags.check || flags.call !== "build") return await check(engine, plan, out)
    const built = await build(engine, plan, flags)
    if (flags.metadataFile === undefined) return
    const metadata = [...built].map(([name, { result, tags }]) => [name, buildMetadata(result, tags)])
    atomicWrite(flags.metadataFile, `${JSON.stringify(Object.fromEntries(metadata), null, 2)}\n`, { mode: 0o644 })
  },
})

/** What flags set of every target. */
function overridesOf({ noCache, pull, sbom, provenance }: BakeFlags): string[] {
  return [
    ...(noCache ? ["*.no-cache=true"] : []),
    ...(pull ? ["*.pull=true"] : []),
    ...(sbom === undefined ? [] : [`*.attest=${attestation("sbom", sbom)}`]),
    ...(provenance === undefined ? [] : [`*.attest=${attestation("provenance", provenance)}`]),
  ]
}

function attestation(type: "sbom" | "provenance", text: string): string {
  if (text === "true" || text === "1") return `type=${type}`
  if (text === "false" || text === "0") return `type=${type},disabled=true`
  return `type=${type},${text === "min" || text === "max" ? `mode=${text}` : text}`
}

async function check(engine: Engine, plan: BakePlan, out: Out): Promise<number> {
  using files = new FilesOfBuild()
  const builds = await engine.builds()
  let hasWarnings = false
  for (const [name, target] of Object.entries(plan.target)) {
    const warnings = await builds.check(await targetRequest(files, target, new AbortController().signal))
    hasWarnings ||= warnings.length > 0
    for (const line of [`${name}:`, ...checkLines(warnings)]) out.line(line)
  }
  return hasWarnings ? 1 : 0
}

async function build(engine: Engine, plan: BakePlan, flags: BakeFlags): Promise<Map<string, BuiltTarget>> {
  using interrupt = new AbortOnInterrupt()
  using files = new FilesOfBuild()
  const abort = new AbortController()
  interrupt.signal.addEventListener("abort", () => abort.abort(interrupt.signal.reason))
  const builds = await engine.builds()
  const mode = flags.progress ?? PROGRESS_MODES.find((one) => one === process.env.BUILDKIT_PROGRESS) ?? "auto"
  using display = new BuildDisplay(mode)
  try {
    return await buildTargets(plan, { builds, files, abort, onBuildEvent: display.onBuildEvent })
  } catch (error) {
    display.explainFailure()
    throw error
  }
}

/** `targets`, `variables`; `type=targets,format=json`. */
function list(definition: Definition, asked: string, out: Out): void {
  const [, type = asked] = /(?:^|,)type=(\w+)/.exec(asked) ?? []
  const isJson = /(?:^|,)format=json(?:,|$)/.test(asked)
  if (type === "targets") {
    const rows = listTargets(definition)
    if (isJson) return out.line(JSON.stringify(rows, null, 2))
    return table(["TARGET\tDESCRIPTION", ...rows.map(({ name, description = "" }) => `${name}\t${description}`)], out)
  }
  if (type !== "variables") throw new UsageError(`invalid list type "${type}"`, { hint: "valid: targets, variables" })
  const rows = definition.variables.map((one) => ({ ...one, value: variableText(one.value) }))
  if (isJson) return out.line(JSON.stringify(rows, null, 2))
  const lines = rows.map(({ name, type: kind = "", value, description = "" }) =>
    [name, kind, value, description].join("\t"),
  )
  table(["VARIABLE\tTYPE\tVALUE\tDESCRIPTION", ...lines], out)
}

function table(rows: readonly string[], out: Out): void {
  for (const line of alignColumns(rows)) out.line(line)
}
