/** Moves what another engine has here: images, volumes, networks and the definitions of containers, in that order. */
import { isSkiffError, NotFound } from "../../base/errors.ts"
import type { OnProgress } from "../../base/progress.ts"
import { shortDigest, type Digest } from "../../spec/digest.ts"
import type { Engine } from "../../engine/engine.ts"
import { familiarName, formatReference, parseReference, type Image, type Images } from "../../image/image.ts"
import type { ContainerOptions } from "../../container/container.ts"
import { withoutAddresses } from "../../network/network.ts"
import { NETWORK_HABITS } from "../compat/network-habits.ts"
import type { FlagValues } from "../flag.ts"
import { NETWORK_CREATE_FLAGS } from "../network/create-flags.ts"
import { wantedNetwork } from "../network/wanted-network.ts"
import { parseFlags } from "../parse-flags.ts"
import { networkOwnerOf, type ForeignContainer } from "./foreign-container.ts"
import type { ForeignImage, ForeignNetwork, ForeignVolume, MigrationSource } from "./source.ts"
import { wantedContainer } from "./wanted-container.ts"

/** Kinds of objects, in the order of their moving. */
export const KINDS = ["images", "volumes", "networks", "containers"] as const
/** One of them. */
export type Kind = (typeof KINDS)[number]

/** What became of one object. */
export interface Moved {
  kind: Kind
  /** Empty: of the whole kind. */
  name: string
  /** `planned` in a dry run. */
  result: "moved" | "planned" | "there" | "failed"
  /** What is otherwise than it was, or why it could not be moved. */
  notes: string[]
}

/** How it is done. */
export interface MigrationOptions {
  kinds: readonly Kind[]
  dryRun: boolean
  onProgress: OnProgress
  signal: AbortSignal
}

/** A volume has this name until its files are all there: what a killed migration left is made anew by the next. */
const UNFINISHED = "migrating."
const MAX_NAME = 200

/** Gives each object as it has been dealt with; what is here already is left as it is. Safe to repeat. */
export async function* migrate(
  engine: Engine,
  source: MigrationSource,
  options: MigrationOptions,
): AsyncGenerator<Moved> {
  const migration = new Migration(engine, source, options)
  for (const kind of KINDS) if (options.kinds.includes(kind)) yield* migration.kind(kind)
}

/** Of errors on an address that a network of another range has not. */
const ADDRESSES = new Set(["address", "address6"])

type Outcome = Omit<Moved, "kind" | "name">

class Migration {
  readonly #engine: Engine
  readonly #source: MigrationSource
  readonly #options: MigrationOptions

  constructor(engine: Engine, source: MigrationSource, options: MigrationOptions) {
    this.#engine = engine
    this.#source = source
    this.#options = options
  }

  async *kind(kind: Kind): AsyncGenerator<Moved> {
    try {
      if (kind === "images") yield* this.#images()
      if (kind === "volumes")
        for (const one of await this.#source.volumes()) yield await this.#one(kind, one.name, () => this.#volume(one))
      if (kind === "networks")
        for (const one of await this.#source.networks()) yield await this.#one(kind, one.name, () => this.#network(one))
      if (kind === "containers")
        for (const one of dependentsLast(await this.#source.containers()))
          yield await this.#one(kind, one.Name, () => this.#container(one))
    } catch (error) {
      // that the kind cannot be asked for is one answer, and the others are asked for all the same
      yield { kind, name: "", ...this.#failure(error) }
    }
  }

  async #one(kind: Kind, name: string, body: () => Promise<Outcome>): Promise<Moved> {
    try {
      return { kind, name, ...(await body()) }
    } catch (error) {
      return { kind, name, ...this.#failure(error) }
    }
  }

  #failure(error: unknown): Outcome {
    if (this.#options.signal.aborted || !isSkiffError(error)) throw error
    return { result: "failed", notes: [error.message] }
  }

  /** Those that have a name, and those that a container stands on. */
  async *#images(): AsyncGenerator<Moved> {
    const found = await this.#source.images()
    const used = new Set(await this.#usedImages())
    const wanted = found.filter(({ id, names }) => names.length > 0 || used.has(id))
    for (const image of wanted) {
      const name = image.names[0] ?? shortDigest(image.id as Digest)
      yield await this.#one("images", name, () => this.#image(image))
    }
  }

  async #usedImages(): Promise<string[]> {
    if (!this.#options.kinds.includes("containers")) return []
    try {
      return (await this.#source.containers()).map(imageIdOf)
    } catch (error) {
      if (isSkiffError(error)) return [] // told where containers are moved
      throw error
    }
  }

  async #image({ id, names, place }: ForeignImage): Promise<Outcome> {
    const { dryRun, onProgress, signal } = this.#options
    const images = await this.#engine.images()
    const here = images.find(id)
    // an image without a name is found by its id alone, and would be pruned
    const wanted = names.length > 0 ? names : [`localhost/migrated:${shortDigest(id as Digest)}`]
    const taken = wanted.flatMap((name) => {
      const other = images.find(name)
      return other === undefined || other.id === id || !other.tags.includes(fullName(name)) ? [] : [name]
    })
    const given = wanted.filter((name) => !taken.includes(name) && !hasTag(here, name))
    const notes = [
      ...taken.map((name) => `"${name}" leads to another image here, and still does`),
      ...(names.length === 0 ? [`it had no name, and is ${wanted[0]} here`] : []),
    ]
    const [first, ...others] = given
    if (first === undefined && here !== undefined) return { result: "there", notes }
    if (first === undefined) return { result: "failed", notes }
    if (dryRun) return { result: "planned", notes }
    if (here === undefined) {
      const { source } = this.#source.daemons ?? {}
      await images.copy(place, first, { onProgress, signal, ...(source !== undefined && { daemons: { source } }) })
    } else images.tag(id, first)
    for (const name of others) images.tag(id, name)
    return { result: "moved", notes }
  }

  async #volume(volume: ForeignVolume): Promise<Outcome> {
    const { name, driver, labels, options, anonymous } = volume
    const volumes = await this.#engine.volumes()
    if (volumes.list().some((one) => one.name === name)) return { result: "there", notes: [] }
    if (driver !== "local")
      return { result: "failed", notes: [`its driver is ${driver}: a plugin's volume stays where it is`] }
    const isElsewhere = options.device !== undefined
    const notes = isElsewhere ? ["its files are where its options say: nothing was copied"] : []
    if (this.#options.dryRun) return { result: "planned", notes }
    const made = { driver: "local", labels, options, anonymous }
    if (isElsewhere) {
      await volumes.create({ ...made, name })
      return { result: "moved", notes }
    }
    const { signal } = this.#options
    const unfinished = `${UNFINISHED}${name.slice(0, MAX_NAME)}`
    await volumes.remove(unfinished, { force: true, signal })
    const files = await volume.read()
    await volumes.create({ ...made, name: unfinished })
    try {
      await volumes.import(unfinished, files, { signal })
      await volumes.rename(unfinished, name)
    } catch (error) {
      await volumes.remove(unfinished, { force: true })
      throw error
    }
    return { result: "moved", notes }
  }

  async #network({ name, words, notes, unfit }: ForeignNetwork): Promise<Outcome> {
    const networks = await this.#engine.networks()
    if (networks.list().some((one) => one.name === name)) return { result: "there", notes: [] }
    if (unfit !== undefined) return { result: "failed", notes: [unfit] }
    const wanted = (given: readonly string[]) => {
      const { values } = parseFlags(NETWORK_CREATE_FLAGS, given, true)
      return wantedNetwork(name, values as FlagValues<typeof NETWORK_CREATE_FLAGS>, NETWORK_HABITS)
    }
    const asked = wanted(words)
    if (this.#options.dryRun) return { result: "planned", notes: [...notes] }
    try {
      await networks.create(asked)
      return { result: "moved", notes: [...notes] }
    } catch (error) {
      // the other engine's bridge may stand on the host with this very range
      const ranges = /^--(?:subnet|gateway|ip-range|aux-address)=/
      if (!isSkiffError(error) || error.field !== "subnet" || !words.some((word) => ranges.test(word))) throw error
      await networks.create(wanted(words.filter((word) => !ranges.test(word))))
      return { result: "moved", notes: [...notes, `it has another range of addresses: ${error.message}`] }
    }
  }

  async #container(container: ForeignContainer): Promise<Outcome> {
    const containers = await this.#engine.containers()
    if (containers.list({ all: true }).some(({ name }) => name === container.Name))
      return { result: "there", notes: [] }
    if (container.Pod)
      return {
        result: "failed",
        notes: ["it is in a pod, and pods are not moved: podman kube generate, or skiff pod create"],
      }
    if (container.Rootfs)
      return { result: "failed", notes: [`it stands on the directory "${container.Rootfs}", not on an image`] }
    const own = await this.#source.ownFiles(container)
    const changed =
      own === 0
        ? []
        : [
            `${own} ${own === 1 ? "file" : "files"} that it changed itself ${own === 1 ? "stays" : "stay"} behind: commit it there for an image of them`,
          ]
    if (this.#options.dryRun) return { result: "planned", notes: changed }
    const image = await this.#imageOf(container)
    const config = await (await this.#engine.images()).config(image)
    const name = nameOf(await this.#engine.images(), image, container)
    const { options, notes } = await wantedContainer(this.#source.engine, container, { name, config })
    await this.#checkVolumes(container)
    const { warnings, elsewhere } = await this.#create(options)
    return { result: "moved", notes: [...notes, ...elsewhere, ...changed, ...warnings] }
  }

  /** With its addresses, where its networks have them here. */
  async #create(options: ContainerOptions): Promise<{ warnings: readonly string[]; elsewhere: string[] }> {
    const containers = await this.#engine.containers()
    try {
      const { warnings = [] } = await containers.create(options, this.#options.onProgress)
      return { warnings, elsewhere: [] }
    } catch (error) {
      if (!isSkiffError(error, "InvalidArgument") || !ADDRESSES.has(error.field ?? "")) throw error
      const { address: _, networks, ...rest } = options
      const others = { ...rest, ...(networks && { networks: networks.map(withoutAddresses) }) }
      const { warnings = [] } = await containers.create(others, this.#options.onProgress)
      return { warnings, elsewhere: [`it gets another address as it starts: ${error.message}`] }
    }
  }

  async #imageOf(container: ForeignContainer): Promise<Image> {
    const image = (await this.#engine.images()).find(imageIdOf(container))
    if (image !== undefined) return image
    const name = container.ImageName ?? container.Config.Image ?? container.Image
    throw new NotFound(`its image "${name}" is not here: move images too`)
  }

  /** One that is missing would be made, and be empty. */
  async #checkVolumes({ Mounts = [] }: ForeignContainer): Promise<void> {
    const here = new Set((await this.#engine.volumes()).list().map(({ name }) => name))
    const missing = Mounts.find(({ Type, Name }) => Type === "volume" && Name !== undefined && !here.has(Name))
    if (missing !== undefined) throw new NotFound(`its volume "${missing.Name}" is not here: move volumes too`)
  }
}

function imageIdOf({ Image: id }: ForeignContainer): string {
  return id.startsWith("sha256:") ? id : `sha256:${id}`
}

/** The name that it was made of, where that still leads to it. */
function nameOf(images: Images, image: Image, { ImageName, Config }: ForeignContainer): string {
  const name = ImageName || Config.Image
  return name !== undefined && images.find(name)?.id === image.id ? familiarName(name) : image.id
}

function hasTag(image: Image | undefined, name: string): boolean {
  return image?.tags.includes(fullName(name)) === true
}

function fullName(name: string): string {
  const ref = parseReference(name)
  return formatReference({ ...ref, tag: ref.tag ?? "latest" })
}

/** Whose namespaces a container uses is made before it, and has its name alone here. */
function dependentsLast(given: readonly ForeignContainer[]): ForeignContainer[] {
  const containers = given.map((one) => withNames(one, given))
  const depth = (one: ForeignContainer, seen = 0): number => {
    const owner = networkOwnerOf(one)
    const found = containers.find(({ Id, Name }) => owner !== undefined && (Id.startsWith(owner) || Name === owner))
    return found === undefined || seen > containers.length ? 0 : 1 + depth(found, seen + 1)
  }
  return containers.toSorted((a, b) => depth(a) - depth(b))
}

function withNames(container: ForeignContainer, all: readonly ForeignContainer[]): ForeignContainer {
  const named = (mode: unknown) => {
    const [, id] = /^container:([0-9a-f]{12,64})$/.exec(String(mode)) ?? []
    const found = id === undefined ? undefined : all.find(({ Id }) => Id.startsWith(id))
    return found === undefined ? mode : `container:${found.Name}`
  }
  const { NetworkMode, IpcMode, PidMode } = container.HostConfig
  const modes = {
    NetworkMode: named(NetworkMode) as string | undefined,
    IpcMode: named(IpcMode),
    PidMode: named(PidMode),
  }
  return { ...container, HostConfig: { ...container.HostConfig, ...modes } }
}
