import { noProgress } from "../base/progress.ts"
import { resolve } from "node:path"
import { DEFAULT_PATH } from "../spec/docker/environment.ts"
import { parseRunMount, type MountFlag } from "../dockerfile/run-mount.ts"
import type { RunMount } from "../build/plan/definition.ts"
import type { BuildDirectory } from "../build/build-directory.ts"
import type { HostMount } from "../build/build.ts"
import type { RunSettings, Source } from "../build/execute/executor.ts"
import { filesOf, openDirectory, type FilesTools } from "./files-of.ts"
import { mergeSettings } from "./merge-settings.ts"
import type { WorkingRecord } from "./records.ts"
import type { WorkingRun } from "./builder.ts"

const HOSTNAME_DIGITS = 12

const NO_SETTINGS: RunSettings = { secrets: [], ssh: [], extraHosts: [], ulimits: [], resources: {} }

/** See `WorkingContainers.run`. */
export async function runWorking(
  root: string,
  { id, workingImage, defaults }: WorkingRecord,
  run: WorkingRun,
  tools: FilesTools,
): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await openDirectory(tools))
  const executor = stack.use(tools.deps.openExecutor(directory))
  const { config } = workingImage
  const cwd = run.cwd ?? (config.WorkingDir || "/")
  const { mounts, volumes, sources } = await mountSources(cwd, run, tools, { directory, stack })
  const own = { more: { hostname: id.slice(0, HOSTNAME_DIGITS), volumes } }
  await executor.run(
    {
      kind: "run",
      argv: run.argv,
      env: environment(config.Env ?? [], run.env),
      cwd,
      user: run.user ?? config.User ?? "",
      mounts,
      network: run.network ?? defaults.run?.network ?? "default",
      security: "sandbox",
    },
    root,
    [{ path: root, keepsOwners: true }, ...sources],
    withProxies({ ...NO_SETTINGS, ...mergeSettings(own, defaults.run?.settings ?? {}, run.settings ?? {}) }),
    { onLog: run.onLog, onProgress: run.onProgress ?? noProgress, ...(run.signal ? { signal: run.signal } : {}) },
  )
}

/** As buildah: the caller's proxies are those of the program, unless that was declined. */
function withProxies(settings: RunSettings): RunSettings {
  if (settings.more?.passesProxies === false) return settings
  const { env } = process
  return { ...settings, proxy: PROXIES.flatMap((name) => (env[name] === undefined ? [] : [`${name}=${env[name]}`])) }
}

const PROXIES = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"].flatMap((name) => [
  name,
  name.toUpperCase(),
])

/** A variable stands once, with its last value. */
function environment(image: readonly string[], run: readonly string[]): string[] {
  const values = new Map([`PATH=${DEFAULT_PATH}`, ...image, ...run].map((entry) => [entry.split("=", 1)[0], entry]))
  return [...values.values()]
}

interface MountedSources {
  mounts: RunMount[]
  volumes: HostMount[]
  /** What the mounts call 1, 2 … */
  sources: Source[]
}

/** A bind without `from` is of the host's own files: who asks for a writable one means to write there. */
async function mountSources(
  cwd: string,
  run: WorkingRun,
  tools: FilesTools,
  { directory, stack }: { directory: BuildDirectory; stack: AsyncDisposableStack },
): Promise<MountedSources> {
  const placed: MountedSources = { mounts: [], volumes: [], sources: [] }
  const flags = run.mounts.map(readMount)
  for (const flag of flags) {
    if (flag.type === "bind" && flag.from === undefined) {
      placed.volumes.push(hostMount(flag, run.contextDir))
      continue
    }
    let input: (() => number) | undefined
    if (flag.from !== undefined) {
      const number = placed.sources.push(await filesOf(flag.from, tools, directory, stack))
      input = () => number
    }
    placed.mounts.push(tools.deps.planMount(flag, { directory: cwd, context: () => 0, input }))
  }
  return placed
}

function hostMount({ source = "", target = "", readOnly, propagation }: Mount, contextDir = "."): HostMount {
  const access = readOnly ? "ro" : "rw"
  return { source: resolve(contextDir, source), target, access, ...(propagation ? { propagation } : {}) }
}

interface Mount extends MountFlag {
  propagation?: string
}

/** What buildah's flag has beyond a Dockerfile's: labels of SELinux mean nothing here. Throws InvalidArgument. */
function readMount(text: string): Mount {
  const fields = text.split(",").filter((field) => !/^(?:z|Z|relabel=\w+)$/.test(field))
  const [propagation] = fields.flatMap(
    (field) => /^bind-propagation=(r?(?:private|shared|slave))$/.exec(field)?.[1] ?? [],
  )
  const common = fields.filter((field) => propagation === undefined || !field.startsWith("bind-propagation="))
  const flag = parseRunMount(common.join(",").replace(/(^|,)tmpfs-size=/, "$1size="), (value) => value)
  return propagation === undefined ? flag : { ...flag, propagation }
}
