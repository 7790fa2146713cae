import { crashPoint } from "../base/crash-point.ts"
import { isSkiffError, SkiffError } from "../base/errors.ts"
import { noProgress } from "../base/progress.ts"
import type { Admission } from "../registry/registry.ts"
import type { Digest } from "../spec/digest.ts"
import { defined } from "../base/defined.ts"
import type { Platform } from "../spec/platform.ts"
import { fetchImage, putFetched, type FetchedImage, type FetchOptions } from "./fetch-image.ts"
import type { DecryptionKey, ImageSource, PullOptions, PullResult, ResolvedManifest } from "./image.ts"
import type { ImagesDeps } from "./deps.ts"
import { nearestImage } from "./nearest-image.ts"
import type { ImageRecords } from "./records.ts"
import { familiarReference, formatReference, parseReference, shortName, type Reference } from "./reference.ts"

/**
 * Brings an image in. Nothing of it is recorded before all of it is there; until then a lease holds what has come, and
 * after a kill the next pull finds the layers, or the beginning of a layer, and goes on.
 */
export async function pullImage(
  deps: ImagesDeps,
  records: ImageRecords,
  name: string,
  options: PullOptions = {},
): Promise<PullResult> {
  const { onProgress = noProgress } = options
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  const registries = await deps.registries()
  const source = await registries.open({ ...options, signal })
  const refs = await candidates(name)
  const { ref, top, admission } = await resolveFirst(refs, source, (each) =>
    registries.admission({ transport: "docker", ref: each }),
  ).catch((error: unknown) => {
    if (!options.isMissing || !isSkiffError(error, "Unavailable")) throw error
    throw missingImage(name, refs, nearestImage(name, records.names()), error)
  })
  crashPoint("pull:manifest-fetched")

  const { pulled, added } = await underLease()
  // what killed pulls left goes now, but not while nothing changes: `run` looks for a newer image each time it is told to
  if (added > 0) await deps.collect()
  return pulled

  async function underLease(): Promise<{ pulled: PullResult; added: number }> {
    await using lease = await deps.leases.open()
    const { platform } = options
    const admit = admission && ((digests: readonly Digest[]) => admission.admit(digests, source))
    const how = { platform, onProgress, signal, stop }
    const found = { source, ref, top, admit }
    const { decryptionKeys: keys } = options
    const arriving = keys === undefined ? found : await decrypted(found, keys, platform)
    const mayBePartial = keys === undefined && ((await deps.partialPulls?.()) ?? true)
    const fetched = await fetchImage(deps, records, { ...arriving, lease, mayBePartial, ...how })
    const result = recordPulled(records, { name, ref, top: top.descriptor.digest, fetched })
    crashPoint("pull:recorded")
    return { pulled: result, added: fetched.added }
  }

  async function candidates(text: string): Promise<Candidate[]> {
    const typed = parseReference(text)
    const short = shortName(text, typed)?.replace(/:[^:]*$/, "")
    if (short === undefined) return [typed]
    const { tag, digest } = typed
    return (await registries.candidates(short)).map(({ fallback, ...each }) =>
      Object.assign(parseReference(formatReference({ ...each, tag, digest })), fallback && { fallback }),
    )
  }
}

/** Of the image for one platform, its source with plain layers; the policy is of the image as it was made. */
async function decrypted(
  found: Pick<FetchOptions, "source" | "ref" | "top" | "admit">,
  keys: readonly DecryptionKey[],
  platform: Platform | undefined,
): Promise<Pick<FetchOptions, "source" | "ref" | "top" | "admit">> {
  const [{ oneImage }, { decryptImage }] = await Promise.all([
    import("./copy/one-image.ts"),
    import("./decrypt-image.ts"),
  ])
  const one = await oneImage({ ...found, shown: formatReference(found.ref) }, defined({ platform }))
  await found.admit?.([one.top.descriptor.digest, ...(one.indexes ?? [])])
  const { source, ref, top } = await decryptImage(one, keys)
  return { source, ref, top }
}

/** What is not here, and whose registry does not answer. */
function missingImage(
  name: string,
  refs: readonly Reference[],
  near: string | undefined,
  cause: SkiffError,
): SkiffError {
  const registries = [...new Set(refs.map(({ registry }) => registry))].join(", ")
  const { repository, tag = "latest" } = parseReference(name)
  const base = /^library\/(debian|busybox)$/.exec(repository)?.[1]
  return cause.restated(
    `image "${name}" was not found locally, and ${registries} cannot be reached: ${cause.message}`,
    {
      hint: [
        ...(near === undefined ? [] : [{ nearest: near }]),
        ...(base === undefined ? [] : [{ do: "bootstrap" as const, base: tag === "latest" ? base : `${base}:${tag}` }]),
        { do: "loadImage" },
      ],
      data: { image: name, ...(near === undefined ? {} : { nearest: near }) },
    },
  )
}

interface Pulled {
  /** As typed. */
  name: string
  ref: Reference
  /** What the name points at in the registry. */
  top: Digest
  fetched: FetchedImage
}

/** Writes image, name and repo digest down, all or none. */
function recordPulled(records: ImageRecords, pulled: Pulled): PullResult {
  const { ref, top, fetched } = pulled
  const repository = { registry: ref.registry, repository: ref.repository }
  const repoDigest = formatReference({ ...repository, digest: top })
  // what was pulled by digest is named by digest, as docker does: nobody asked the registry for the tag beside it
  const name = ref.digest === undefined ? formatReference({ ...repository, tag: ref.tag ?? "latest" }) : repoDigest
  return records.transaction(() => {
    const before = records.find(name)?.id
    const id = putFetched(records, fetched)
    if (ref.digest === undefined) records.setName(name, id, shortName(pulled.name, ref))
    records.setRepoDigest(repoDigest, id)
    records.tell("pull", familiarReference(parseReference(name)), records.labels(id))
    return { image: records.get(id), name, digest: top, changed: before !== id }
  })
}

type Candidate = Reference & { fallback?: true }

interface Resolved {
  ref: Reference
  top: ResolvedManifest
  admission: Admission | undefined
}

/** The first of the names that a registry knows; several only for a short name with several search registries, or an alias. */
async function resolveFirst(
  refs: readonly Candidate[],
  source: ImageSource,
  admissionOf: (ref: Reference) => Promise<Admission | undefined>,
): Promise<Resolved> {
  const failures: SkiffError[] = []
  for (const { fallback, ...ref } of refs) {
    // what the alias says stands, unless there is nobody to ask
    if (fallback && !failures.every((error) => isSkiffError(error, "Unavailable"))) break
    try {
      const admission = await admissionOf(ref)
      return { ref, top: await source.resolve(ref), admission }
    } catch (error) {
      if (refs.length === 1 || !(error instanceof SkiffError) || error.code === "Cancelled") throw error
      failures.push(error)
    }
  }
  const [only] = failures
  if (failures.length === 1 && only !== undefined) throw only
  const code = failures.every((error) => isSkiffError(error, "NotFound")) ? "NotFound" : "Unavailable"
  throw new SkiffError(code, failures.map(({ message }) => message).join("; "), {
    hint: "give the full name, with the registry",
    cause: new AggregateError(failures),
  })
}
