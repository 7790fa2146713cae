/** What another engine has, as far as it can be moved here: the source is read, and never changed. */
import type { Bytes } from "../../base/bytes.ts"
import type { ForeignContainer } from "./foreign-container.ts"

/** The engines that we move from. */
export const ENGINES = ["docker", "podman"] as const
/** One of them. */
export type EngineName = (typeof ENGINES)[number]

/** An image there. */
export interface ForeignImage {
  /** `sha256:…`, as it will be here. */
  id: string
  names: readonly string[]
  /** As `image copy` takes it. */
  place: string
}

/** A volume there. */
export interface ForeignVolume {
  name: string
  driver: string
  labels: Readonly<Record<string, string>>
  options: Readonly<Record<string, string>>
  anonymous: boolean
  /** Its files as tar. Throws SkiffError where they cannot be had. */
  read(): Promise<Bytes>
}

/** A network there. */
export interface ForeignNetwork {
  name: string
  /** Of `network create`, that make it again; without the name. */
  words: readonly string[]
  /** What of it is left out, and why. */
  notes: readonly string[]
  /** Why it cannot be made here; undefined: it can. */
  unfit?: string
}

/** Another engine of this machine. */
export interface MigrationSource {
  engine: EngineName
  /** Of `Images.copy`. */
  daemons?: { source: string }
  /** Each may throw SkiffError: nothing of that kind can be had then. */
  images(): Promise<ForeignImage[]>
  volumes(): Promise<ForeignVolume[]>
  networks(): Promise<ForeignNetwork[]>
  containers(): Promise<ForeignContainer[]>
  /** How many files a container has added or deleted beside its image's, its volumes' apart. */
  ownFiles(container: ForeignContainer): Promise<number>
}
