/** What an archive says of its container: written by us, read from whoever made the archive. */
import * as v from "valibot"
import { defined } from "../../base/defined.ts"
import { InvalidArgument } from "../../base/errors.ts"
import type { ContainerOptions } from "../container.ts"
import type { ContainerRecord } from "../record.ts"

/** The part of a record that another machine can use. Pure. */
export function configDump({ id, name, imageId, createdAt, spec, state }: ContainerRecord): object {
  const { options, run, imageName } = spec
  return {
    version: 1,
    id,
    name,
    createdTime: new Date(createdAt).toISOString(),
    rootfsImageID: imageId,
    rootfsImageName: imageName,
    startedAt: state.startedAt,
    volumes: spec.mounts.flatMap((mount) =>
      mount.name === undefined ? [] : [{ name: mount.name, target: mount.target }],
    ),
    options: {
      ...options,
      name,
      // as they were decided: a later image of that name may say otherwise
      entrypoint: run.entrypoint,
      command: run.command,
      workdir: run.workdir,
      user: run.user,
      hostname: run.hostname,
      ports: run.ports,
    },
  }
}

const texts = v.array(v.string())
const map = v.record(v.string(), v.string())
const count = v.pipe(v.number(), v.finite())
/** No directories of the host: what is written over an overlay lies where the engine puts it. */
const shown = {
  options: v.optional(texts),
  recursion: v.optional(v.picklist(["none", "writable", "readonly"])),
  overlay: v.optional(v.object({})),
  idMap: v.optional(v.string()),
}
/** Nor the driver of a volume: its options name what it likes of the host. */
const mount = v.variant("type", [
  v.object({
    ...shown,
    type: v.literal("bind"),
    source: v.string(),
    target: v.string(),
    readOnly: v.boolean(),
    propagation: v.optional(v.string()),
    createSource: v.boolean(),
  }),
  v.object({
    ...shown,
    type: v.literal("glob"),
    source: v.string(),
    target: v.string(),
    readOnly: v.boolean(),
  }),
  v.object({
    type: v.literal("image"),
    source: v.string(),
    target: v.string(),
    readOnly: v.boolean(),
    subpath: v.optional(v.string()),
  }),
  v.object({
    type: v.literal("devpts"),
    target: v.string(),
    readOnly: v.boolean(),
    options: v.optional(texts),
  }),
  v.object({
    ...shown,
    type: v.literal("volume"),
    source: v.optional(v.string()),
    target: v.string(),
    readOnly: v.boolean(),
    copyUp: v.boolean(),
    subpath: v.optional(v.string()),
  }),
  v.object({
    type: v.literal("tmpfs"),
    target: v.string(),
    readOnly: v.boolean(),
    sizeBytes: v.optional(count),
    mode: v.optional(count),
    options: v.optional(texts),
  }),
])
const port = v.object({
  protocol: v.picklist(["tcp", "udp", "sctp"]),
  containerPort: count,
  hostPort: count,
  hostIp: v.optional(v.string()),
})
const network = v.variant("kind", [
  v.object({ kind: v.literal("bridge"), name: v.string() }),
  v.object({ kind: v.literal("none") }),
  v.object({ kind: v.literal("host") }),
])

/** What stays within a container: taken from anybody. All else of an archive's options counts for nothing. */
const HARMLESS = {
  name: v.optional(v.string()),
  command: v.optional(texts),
  entrypoint: v.optional(texts),
  env: v.optional(texts),
  labels: v.optional(map),
  workdir: v.optional(v.string()),
  user: v.optional(v.string()),
  groupAdd: v.optional(texts),
  hostname: v.optional(v.string()),
  domainname: v.optional(v.string()),
  tty: v.optional(v.boolean()),
  stdin: v.optional(v.boolean()),
  init: v.optional(v.boolean()),
  readOnly: v.optional(v.boolean()),
  mounts: v.optional(v.array(mount)),
  network: v.optional(network),
  ports: v.optional(v.array(port)),
  address: v.optional(v.string()),
  macAddress: v.optional(v.string()),
  expose: v.optional(texts),
  dns: v.optional(texts),
  dnsSearch: v.optional(texts),
  dnsOptions: v.optional(texts),
  extraHosts: v.optional(texts),
  shmSizeBytes: v.optional(count),
  ulimits: v.optional(v.array(v.object({ name: v.string(), soft: count, hard: count }))),
  capDrop: v.optional(texts),
  restart: v.optional(
    v.object({ name: v.picklist(["no", "always", "on-failure", "unless-stopped"]), maximumRetryCount: count }),
  ),
  stopSignal: v.optional(v.string()),
  stopTimeoutSeconds: v.optional(count),
  resources: v.optional(
    v.object({
      memoryBytes: v.optional(count),
      memorySwapBytes: v.optional(count),
      memoryReservationBytes: v.optional(count),
      cpus: v.optional(count),
      cpuShares: v.optional(count),
      cpuPeriodUs: v.optional(count),
      cpuQuotaUs: v.optional(count),
      cpusetCpus: v.optional(v.string()),
      cpusetMems: v.optional(v.string()),
      pidsLimit: v.optional(count),
    }),
  ),
}

/** What reaches the host: given only to an archive that is trusted. */
const OF_HOST = {
  privileged: v.optional(v.boolean()),
  capAdd: v.optional(texts),
  securityOptions: v.optional(texts),
  sysctls: v.optional(map),
  devices: v.optional(v.array(v.object({ hostPath: v.string(), containerPath: v.string(), permissions: v.string() }))),
}

const DUMP = v.object({
  version: v.literal(1),
  name: v.string(),
  rootfsImageID: v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/)),
  rootfsImageName: v.string(),
  volumes: v.array(v.object({ name: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/)), target: v.string() })),
  options: v.object({ ...HARMLESS, ...OF_HOST }),
})

/** An archive's container. */
export interface ImportedConfig {
  imageId: string
  imageName: string
  volumes: readonly { name: string; target: string }[]
  options: Omit<ContainerOptions, "image">
}

/**
 * Reads `config.dump`. What it asks for of the host is refused, by name, unless `trust` is set (CVE-2024-8676, CVE-2026-50195).
 * Throws InvalidArgument.
 */
export function parseConfigDump(text: string, { trust }: { trust: boolean }): ImportedConfig {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new InvalidArgument("the archive's config.dump is no JSON", { cause })
  }
  const result = v.safeParse(DUMP, value)
  if (!result.success) {
    const [issue] = result.issues
    throw new InvalidArgument(
      `the archive's config.dump is not understood: ${v.getDotPath(issue) ?? "it"}: ${issue.message}`,
      { hint: "archives of other tools have another config.dump" },
    )
  }
  const { rootfsImageID: imageId, rootfsImageName: imageName, volumes, options } = result.output
  const asked = askedOfHost(options)
  if (asked.length > 0 && !trust) throw asksOfHost(asked)
  return { imageId, imageName, volumes, options: defined(options) as unknown as ImportedConfig["options"] }
}

/** The refusal of an archive that is not trusted. Pure. */
export function asksOfHost(asked: readonly string[]): InvalidArgument {
  return new InvalidArgument(`the archive asks for what reaches the host: ${asked.join(", ")}`, {
    hint: "say that you trust it, if you made the archive",
  })
}

function askedOfHost(options: v.InferOutput<typeof DUMP>["options"]): string[] {
  const { mounts = [], devices = [], capAdd = [], securityOptions = [], sysctls = {}, privileged } = options
  return [
    ...mounts.flatMap((one) =>
      one.type === "bind" || one.type === "glob" ? [`the directory ${JSON.stringify(one.source)}`] : [],
    ),
    ...devices.map(({ hostPath }) => `the device ${JSON.stringify(hostPath)}`),
    ...(privileged ? ["all privileges"] : []),
    ...capAdd.map((name) => `the capability ${JSON.stringify(name)}`),
    ...securityOptions.map((word) => `the security option ${JSON.stringify(word)}`),
    ...Object.keys(sysctls).map((name) => `the sysctl ${JSON.stringify(name)}`),
    ...(options.network?.kind === "host" ? ["the host's network"] : []),
  ]
}
