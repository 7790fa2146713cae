import { heeding } from "../base/cancel.ts"
import { crashPoint } from "../base/crash-point.ts"
import { isSkiffError } from "../base/errors.ts"
import { log } from "../base/log.ts"
import type { Image } from "../image/image.ts"
import type { ImageRunConfig } from "../spec/oci-image.ts"
import { thisProcess } from "../sys/process/process-identity.ts"
import type { CommitOptions } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { containerEvent } from "./events.ts"
import { pause, unpause } from "./pause.ts"
import { secretTargets } from "./secrets.ts"
import type { ContainerRecord } from "./record.ts"

/** See `Containers.commit`. */
export async function commit(deps: ContainerDeps, nameOrId: string, options: CommitOptions = {}): Promise<Image> {
  return heeding(options.abort, "the commit", () => commitNow(deps, nameOrId, options))
}

async function commitNow(deps: ContainerDeps, nameOrId: string, options: CommitOptions): Promise<Image> {
  const record = deps.records.get(nameOrId)
  const [images, snapshots] = await Promise.all([deps.images(), deps.snapshots()])
  const base = images.get(record.imageId)
  const config = await images.config(base)
  const { pause: isStill = true, squash = false, format = "oci", abort } = options
  const own = runConfigOf(record, config.config ?? {})
  const changed = (await options.change?.(own)) ?? own
  await using resume = new AsyncDisposableStack()
  if (isStill && (await paused(deps, record.id, abort))) resume.defer(() => unpauseUnlessGone(deps, record.id))
  const { rootfs: _, history: __, ...above } = config
  crashPoint("commit:paused")
  const layer = snapshots.diff(record.id, {
    ...(squash ? { since: "nothing" } : {}),
    leaveOutEmpty: new Set([...BOUND_FILES, ...secretTargets(record)]),
    signal: abort,
  })
  const image = await images.createFromTar(layer, {
    signal: abort,
    name: options.name,
    ...(squash ? {} : { base }),
    format,
    config: {
      ...above,
      created: new Date().toISOString(),
      ...(options.author === undefined ? {} : { author: options.author }),
      config: changed,
    },
    createdBy: [...record.spec.run.entrypoint, ...record.spec.run.command].join(" "),
    comment: options.message,
    author: options.author,
    onProgress: options.onProgress,
  })
  deps.records.tell(containerEvent(record, "commit", { comment: options.message ?? "", imageID: image.id }))
  return image
}

/** Where our own files are bound: the runtime makes empty ones below them, which are nothing of the program's. */
const BOUND_FILES = new Set(["etc/hosts", "etc/hostname", "etc/resolv.conf"])

/** True when it ran until now: so its files hold still, and it is ours to let go on. */
async function paused(deps: ContainerDeps, id: string, abort: AbortSignal | undefined): Promise<boolean> {
  try {
    await pause(deps, id, { owner: thisProcess(), abort })
    return true
  } catch (error) {
    // not running, or paused already: either way nothing writes
    if (isSkiffError(error, "FailedPrecondition")) return false
    if (!isSkiffError(error, "Unsupported")) throw error
    log.warn("the container cannot be paused here and is committed while it runs", { reason: error.message })
    return false
  }
}

async function unpauseUnlessGone(deps: ContainerDeps, id: string): Promise<void> {
  try {
    await unpause(deps, id)
  } catch (error) {
    if (!isSkiffError(error, "FailedPrecondition") && !isSkiffError(error, "NotFound")) throw error
  }
}

/** What the container runs by, as an image says it: docker's Config of a container, without what each start makes anew. */
function runConfigOf({ spec }: ContainerRecord, image: ImageRunConfig): ImageRunConfig {
  const { run, options } = spec
  const said = new Set([...(image.Env ?? []), ...options.env].map(nameOf))
  const exposed = Object.fromEntries(run.exposedPorts.map((port) => [port, {}]))
  const volumes = Object.fromEntries(run.volumes.map((volume) => [volume, {}]))
  return withoutEmpty({
    ...image,
    User: run.user,
    Env: run.env.filter((entry) => said.has(nameOf(entry))),
    Entrypoint: run.entrypoint,
    Cmd: run.command,
    WorkingDir: options.workdir ?? image.WorkingDir,
    Labels: run.labels,
    ExposedPorts: exposed,
    Volumes: volumes,
    StopSignal: options.stopSignal ?? image.StopSignal,
  })
}

function nameOf(entry: string): string {
  return entry.split("=", 1)[0] ?? ""
}

/** Go's omitempty: docker writes no empty fields. */
function withoutEmpty(config: ImageRunConfig): ImageRunConfig {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => !isEmpty(value)))
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true
  return typeof value === "object" && Object.keys(value).length === 0
}
