import { readFileSync } from "node:fs"
import { InvalidArgument } from "../../base/errors.ts"
import type { AttestationRequest, BuildOptions, BuildOutput, BuildRequest } from "../../build/build.ts"
import { parseEnvFile } from "../../spec/docker/environment.ts"
import type { Platform } from "../../spec/platform.ts"
import { platformOfParts } from "../platform-flags.ts"
import { registryAccess } from "../registry-flags.ts"
import { UsageError } from "../errors/usage-error.ts"
import { readEpoch, type BuildFlags } from "./flags.ts"
import type { BuildFiles } from "./files.ts"
import { stepSettings } from "./run-flags.ts"
import { PROGRESS_MODES, type ProgressMode } from "./progress.ts"
import { callerEnvironment } from "../../sys/process/caller-environment.ts"

/** What `skiff build` asks the engine for. Throws InvalidArgument for flags that contradict each other. */
export function buildRequest(
  files: BuildFiles,
  flags: BuildFlags,
  signal: AbortSignal,
): BuildOptions & Pick<BuildRequest, "tags" | "outputs"> {
  const { manifest } = flags
  const tags = [
    ...flags.tag,
    ...flags.output.flatMap(({ names }) => names),
    ...(manifest === undefined ? [] : [manifest]),
  ]
  const outputs = outputsOf(flags)
  if (tags.length === 0 && outputs.some(({ type }) => type === "registry"))
    throw wrong("tag is needed when pushing to registry", "name the image: -t REGISTRY/NAME")
  const args = {
    ...(flags.httpProxy ? proxiesOf(process.env) : {}),
    ...keyed([...flags.buildArgFile.flatMap(readArgFile), ...flags.buildArg]),
  }
  return {
    ...files,
    namedContexts: Object.fromEntries(flags.buildContext),
    ...optional("target", flags.target),
    ...timesOf(flags, args),
    platforms: platformsOf(flags),
    tags,
    ...optional("manifest", manifest),
    labels: Object.fromEntries(flags.label),
    edits: {
      ...optional("from", flags.from),
      env: keyed(flags.env),
      unsetEnv: flags.unsetenv,
      unsetLabels: flags.unsetlabel,
      dropsBaseLabels: !flags.inheritLabels,
      omitsHistory: flags.omitHistory,
    },
    annotations: [...flags.output.flatMap(({ annotations }) => annotations), ...flags.annotation.flat()],
    ...attestationsOf(flags),
    ...(flags.explainLayers ? { weighsContext: true } : {}),
    ...(flags.verifyReproducible ? { verifyReproducible: true } : {}),
    secrets: flags.secret,
    ssh: flags.ssh,
    noCache: flags.noCache || !flags.layers || flags.noCacheFilter.flat(),
    ...optional("cacheTtlMs", flags.cacheTtl),
    cacheFrom: flags.cacheFrom,
    cacheTo: flags.cacheTo,
    ...optional("pull", flags.pullAlways ? "always" : flags.pullNever ? "never" : flags.pull),
    ...optional("network", flags.network),
    ...stepSettings(flags),
    squash: flags.squashAll ? "all" : flags.squash,
    ...optional("jobs", flags.jobs),
    allow: flags.allow,
    outputs,
    ...optional("format", flags.output.find(({ format }) => format)?.format ?? flags.format),
    access: registryAccess(flags),
    signal,
  }
}

function readArgFile(path: string): string[] {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (cause) {
    throw new InvalidArgument(`cannot read the file of build arguments "${path}"`, { cause })
  }
  return parseEnvFile(text, path, callerEnvironment())
}

/** Later ones win; a name without a value takes the caller's, and without that is as if not given. */
function keyed(given: readonly (string | undefined)[]): Record<string, string> {
  const args: Record<string, string> = {}
  for (const one of given) {
    if (one === undefined) continue
    const equals = one.indexOf("=")
    args[one.slice(0, equals)] = one.slice(equals + 1)
  }
  return args
}

/** Those of the environment, as the build args that they are by definition. */
function proxiesOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const names = Object.keys(env).filter((name) => /^(?:https?|ftp|no|all)_proxy$/i.test(name))
  return Object.fromEntries(names.map((name) => [name, env[name] ?? ""]))
}

/** The last one of a type counts; `--sbom` and `--provenance` are that of theirs. */
function attestationsOf({ attest, sbom, provenance }: BuildFlags): Pick<BuildOptions, "attestations"> {
  const asked = new Map<string, AttestationRequest>()
  for (const one of [...attest, sbom, provenance]) {
    if (one === undefined) continue
    asked.delete(one.type)
    if (one.request !== undefined) asked.set(one.type, one.request)
  }
  return asked.size === 0 ? {} : { attestations: [...asked.values()] }
}

/** As buildx: the caller's SOURCE_DATE_EPOCH is also the build argument of that name, unless one is given. */
function timesOf(
  flags: BuildFlags,
  given: Record<string, string>,
): Pick<BuildOptions, "args" | "epoch" | "rewriteTimes"> {
  const fromCaller = process.env.SOURCE_DATE_EPOCH
  const args = fromCaller === undefined || fromCaller === "" ? given : { SOURCE_DATE_EPOCH: fromCaller, ...given }
  const { SOURCE_DATE_EPOCH: text = "" } = args
  const epoch = flags.timestamp ?? flags.sourceDateEpoch ?? (text === "" ? undefined : epochOf(text))
  const rewriteTimes =
    // no two builds are equal while new files have the time of their build
    (flags.verifyReproducible && epoch !== undefined) ||
    flags.timestamp !== undefined ||
    flags.rewriteTimestamp ||
    flags.output.some((one) => one.rewriteTimes === true)
  if (rewriteTimes && epoch === undefined)
    throw wrong("--rewrite-timestamp needs a time", "give --source-date-epoch, or set SOURCE_DATE_EPOCH")
  return { args, rewriteTimes, ...optional("epoch", epoch) }
}

function epochOf(text: string): number {
  try {
    return readEpoch(text)
  } catch (cause) {
    throw new UsageError(`invalid SOURCE_DATE_EPOCH: ${text}`, { cause })
  }
}

function platformsOf(flags: BuildFlags): Platform[] {
  const asked = flags.platform.flat()
  const ofParts = platformOfParts(flags, asked.length > 0)
  return ofParts === undefined ? asked : [ofParts]
}

/** Into the store, unless something else is asked for; `--load` and `--push` add to what `-o` says. */
function outputsOf({ output, load, push }: BuildFlags): BuildOutput[] {
  const outputs = output.flatMap((one) => one.outputs)
  if (push) outputs.push({ type: "registry" })
  const stored = load || push || output.length === 0
  const asked = outputs.filter(({ type }) => type !== "image")
  const toStandardOutput = asked.filter((one) => "path" in one && typeof one.path === "number")
  if (toStandardOutput.length > 1) throw wrong("only one output can go to standard output")
  return stored || asked.length < outputs.length ? [{ type: "image" }, ...withoutRepeats(asked)] : asked
}

function withoutRepeats(outputs: readonly BuildOutput[]): BuildOutput[] {
  return outputs.filter(
    ({ type }, index) => type !== "registry" || outputs.findIndex((one) => one.type === type) === index,
  )
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V }
}

function wrong(message: string, hint?: string): UsageError {
  return new UsageError(message, { hint })
}

/** `-q`, `--progress`, then BUILDKIT_PROGRESS as docker reads it. */
export function progressMode({ quiet, progress }: BuildFlags): ProgressMode {
  if (quiet) return "quiet"
  const asked = progress ?? PROGRESS_MODES.find((mode) => mode === process.env.BUILDKIT_PROGRESS)
  return asked ?? "auto"
}
