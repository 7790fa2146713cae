import type { Database } from "../base/database.ts"
import { defined } from "../base/defined.ts"
import { AlreadyExists, NotFound } from "../base/errors.ts"
import { parseReference } from "../image/image.ts"
import type { Digest } from "../spec/digest.ts"
import { MediaType, type ImageIndex } from "../spec/oci-image.ts"
import { changedEntry, entriesOf, type EntrySources } from "./entries.ts"
import { indexOf } from "./index-of.ts"
import type { AddOptions, EntryChanges, ManifestEntry, ManifestList, ManifestLists } from "./manifest.ts"
import { ManifestRecords } from "./records.ts"

/** What lists stand on; `engine/` chooses it. */
export interface ManifestListsDeps extends EntrySources {
  /** Migrated with `manifestSchema`. */
  db: Database
}

/** The lists of one store. */
export function openManifestLists({ db, ...sources }: ManifestListsDeps): ManifestLists {
  const records = new ManifestRecords(db)
  const find = (name: string): ManifestList | undefined =>
    names(name)
      .map((one) => records.find(one))
      .find((list) => list !== undefined)
  const get = (name: string): ManifestList => {
    const list = find(name)
    if (list !== undefined) return list
    throw new NotFound(`no such manifest list: "${name}"`, { data: { object: "manifest", name } })
  }
  const change = (name: string, body: (list: ManifestList) => Partial<ManifestList>): void =>
    records.transaction(() => {
      const list = get(name)
      records.put({ ...list, ...body(list) })
    })
  const changeEntry = (name: string, digest: Digest, changes: EntryChanges | undefined): void =>
    change(name, ({ entries }) => {
      if (!entries.some(({ descriptor }) => descriptor.digest === digest))
        throw new NotFound(`no image ${digest} is in the manifest list "${name}"`, {
          data: { object: "manifest entry", name },
        })
      return {
        entries: entries.flatMap((entry) => {
          if (entry.descriptor.digest !== digest) return [entry]
          return changes === undefined ? [] : [changedEntry(entry, changes)]
        }),
      }
    })
  return {
    list: () => records.list(),
    find,
    get,
    create(name, { annotations = {} } = {}) {
      const [full = name] = names(name)
      return records.transaction(() => {
        if (find(name) !== undefined) throw taken(full)
        const list = { name: full, entries: [], annotations, createdAt: new Date() }
        records.put(list)
        return list
      })
    },
    unrecorded({ annotations = {} } = {}) {
      const list = { name: "", entries: [] as readonly ManifestEntry[], annotations, createdAt: new Date() }
      return {
        async add(image, options = {}) {
          const added = await newEntries(sources, image, options)
          list.entries = withEntries(list.entries, added)
          return added.map(({ descriptor }) => descriptor.digest)
        },
        keep: (isKept) => void (list.entries = list.entries.filter(({ descriptor }) => isKept(descriptor))),
        index: () => indexFor(list),
        async push(destination, options = {}) {
          const { pushList } = await import("./push-list.ts")
          return pushList(sources, list, destination, options)
        },
      }
    },
    async add(name, image, options = {}) {
      get(name)
      const added = await newEntries(sources, image, options)
      change(name, ({ entries }) => ({ entries: withEntries(entries, added) }))
      return added.map(({ descriptor }) => descriptor.digest)
    },
    annotate: changeEntry,
    annotateList: (name, { annotations = {}, subject }) =>
      change(name, (list) => ({ annotations: { ...list.annotations, ...annotations }, ...(subject && { subject }) })),
    removeEntry: (name, digest) => changeEntry(name, digest, undefined),
    remove: (name) => void records.delete(get(name).name),
    index: indexFor,
    async push(name, destination, options = {}) {
      const { pushList } = await import("./push-list.ts")
      return pushList(sources, get(name), destination, options)
    },
  }
}

async function newEntries(sources: EntrySources, image: string, options: AddOptions): Promise<ManifestEntry[]> {
  const { os, architecture, variant, osVersion, osFeatures, features, annotations } = options
  const said = defined({ os, architecture, variant, osVersion, osFeatures, features, annotations })
  return (await entriesOf(sources, image, options)).map((entry) => changedEntry(entry, said))
}

/** The new ones in the place of those of the same digest. */
function withEntries(entries: readonly ManifestEntry[], added: readonly ManifestEntry[]): ManifestEntry[] {
  const digests = new Set(added.map(({ descriptor }) => descriptor.digest))
  return [...entries.filter(({ descriptor }) => !digests.has(descriptor.digest)), ...added]
}

function indexFor(list: ManifestList): ImageIndex {
  const descriptors = list.entries.map(({ descriptor }) => descriptor)
  const isDocker = descriptors.length > 0 && descriptors.every((one) => one.mediaType === MediaType.dockerManifest)
  return indexOf(list, descriptors, isDocker ? "docker" : "oci")
}

/** A new list of a short name is localhost's, as a built image is; one of docker.io's is found by it, too. */
function names(text: string): string[] {
  const { registry, repository, tag = "latest" } = parseReference(text)
  const full = `${registry}/${repository}:${tag}`
  if (registry !== "docker.io" || text.startsWith("docker.io/")) return [full]
  return [`localhost/${repository.replace(/^library\//, "")}:${tag}`, full]
}

function taken(name: string): AlreadyExists {
  return new AlreadyExists(`a manifest list "${name}" is there already`, {
    hint: "amend it, or remove it first",
    data: { object: "manifest", name },
  })
}
