import { isSkiffError } from "../../base/errors.ts"
import type { ContainerOptions } from "../../container/container.ts"
import { parseMount } from "../../spec/docker/parse-mount.ts"
import { parseRestartPolicy } from "../../spec/docker/restart-policy.ts"
import type { ImageConfig } from "../../spec/oci-image.ts"
import { dialectOf } from "../compat/dialect.ts"
import type { ContainerFlags } from "../container-flags.ts"
import { containerOptions } from "../container-options.ts"
import type { Flags } from "../flag.ts"
import { parseFlags } from "../parse-flags.ts"
import { commandWords } from "./command-words.ts"
import { csvField } from "./csv-field.ts"
import type { ForeignContainer } from "./foreign-container.ts"
import { hostConfigWords } from "./host-config-words.ts"
import type { EngineName } from "./source.ts"

/** What makes the container here, and what of it is left out. */
export interface WantedContainer {
  options: ContainerOptions
  notes: string[]
}

/** Its image, as it is here. */
export interface HereImage {
  name: string
  config: ImageConfig
}

const MOVED_MOUNTS = new Set(["bind", "volume", "tmpfs", "devpts"])
/** Variables that podman gives to every container. */
const PODMAN_OWN = /^(?:container|HOSTNAME|HOME|TERM)=/

/** Throws SkiffError for what cannot be made here. */
export async function wantedContainer(
  engine: EngineName,
  container: ForeignContainer,
  image: HereImage,
): Promise<WantedContainer> {
  const { flags, words, notes } = await wordsOf(engine, container)
  const values = parseFlags(flags, words, false).values as unknown as ContainerFlags
  const { RestartPolicy, AutoRemove = false } = container.HostConfig
  const { Name = "no", MaximumRetryCount = 0 } = RestartPolicy ?? {}
  const own: Partial<ContainerFlags> = {
    name: container.Name,
    pull: "never",
    rm: AutoRemove,
    restart: parseRestartPolicy(`${Name || "no"}${MaximumRetryCount > 0 ? `:${MaximumRetryCount}` : ""}`),
    // the variables are told as they are
    ...(engine === "podman" && { httpProxy: false }),
  }
  for (const { Type, Destination } of container.Mounts ?? [])
    if (!MOVED_MOUNTS.has(Type)) notes.push(`its mount at ${Destination} is left out: it is of type ${Type}`)
  const options = containerOptions(image.name, [], { ...values, ...own })
  return {
    options: { ...options, ...programOf(container, image.config), ...dataOf(engine, container, image, options) },
    notes,
  }
}

/** Podman's own command line says more than its document; where it is not known here, and of docker, the document does. */
async function wordsOf(
  engine: EngineName,
  container: ForeignContainer,
): Promise<{ flags: Flags; words: string[]; notes: string[] }> {
  const dialect = dialectOf(engine)
  const { default: run } = await import("../commands/container/run.ts")
  const flags = await dialect.flags("container run", run.flags)
  const command = engine === "podman" ? commandWords(container.Config.CreateCommand ?? [], flags) : undefined
  const { words, notes } = hostConfigWords(container)
  if (command === undefined) return { flags, words, notes }
  try {
    parseFlags(flags, command, false)
    return { flags, words: command, notes: [] }
  } catch (error) {
    if (!isSkiffError(error)) throw error
    return { flags, words, notes: [...notes, `made of what podman tells of it: ${error.message}`] }
  }
}

function isSame(a: readonly string[], b: readonly string[] | null | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b ?? [])
}

/** Entrypoint and command, where they are not the image's. */
function programOf({ Config, Path = "", Args = [] }: ForeignContainer, { config }: ImageConfig) {
  const command = Config.Cmd ?? []
  // an init of podman or docker stands before what runs
  const whole = [Path, ...Args]
  const run = /(?:podman-init|catatonit|docker-init|tini)$/.test(Path) ? whole.slice(whole[1] === "--" ? 2 : 1) : whole
  const told = Config.Entrypoint ?? []
  const isTail = command.every((word, at) => run[run.length - command.length + at] === word)
  const entrypoint = Array.isArray(told) ? told : isTail ? run.slice(0, run.length - command.length) : [told]
  const isOwnEntrypoint = !isSame(entrypoint, config?.Entrypoint)
  return {
    ...(isOwnEntrypoint && { entrypoint }),
    ...((isOwnEntrypoint || !isSame(command, config?.Cmd)) && command.length > 0 && { command }),
  }
}

/** What the document tells better than any command line: variables, labels, and where files are. */
function dataOf(
  engine: EngineName,
  { Config, Mounts = [] }: ForeignContainer,
  { config }: HereImage,
  options: ContainerOptions,
) {
  const ofImage = new Set(config.config?.Env ?? [])
  const env = (Config.Env ?? []).filter((one) => !ofImage.has(one) && !(engine === "podman" && PODMAN_OWN.test(one)))
  // those of compose are never taken from an image here
  const labels = Object.entries(Config.Labels ?? {}).filter(
    ([key, value]) => config.config?.Labels?.[key] !== value || key.startsWith("com.docker.compose."),
  )
  const memory = (options.mounts ?? []).filter(({ type }) => type === "tmpfs" || type === "devpts")
  const files = Mounts.flatMap((mount) => {
    const { Type, Name, Source, Destination, RW = true, Propagation } = mount
    if (Type !== "bind" && Type !== "volume") return []
    const fields = [
      `type=${Type}`,
      `src=${Type === "volume" ? (Name ?? "") : (Source ?? "")}`,
      `dst=${Destination}`,
      ...(RW ? [] : ["readonly"]),
      ...(Type === "bind" && Propagation && Propagation !== "rprivate" ? [`bind-propagation=${Propagation}`] : []),
    ]
    return [parseMount(fields.map(csvField).join(","), "/")]
  }).flat()
  return { env, labels: Object.fromEntries(labels), mounts: [...files, ...memory], volumesFrom: [] }
}
