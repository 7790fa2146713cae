/** What a registry has under a name, for people. */
import { parseReference } from "../../image/image.ts"
import type { Registries, RegistryAccess, RegistrySource, RemoteReference } from "../../registry/registry.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import { parseManifest } from "../../spec/parse-manifest.ts"

/** A manifest or index as the registry sent it. */
export interface RemoteManifest {
  name: string
  descriptor: Descriptor
  bytes: Uint8Array
  /** Parsed. */
  document: object
  /** With each image of an index, as `docker manifest inspect --verbose` shows it. */
  verbose(): Promise<object>
}

/** Throws NotFound, Unavailable, InvalidArgument. */
export async function remoteManifest(
  registries: Registries,
  text: string,
  access: RegistryAccess,
): Promise<RemoteManifest> {
  const parsed = parseReference(text.replace(/^docker:\/\//, ""))
  const ref: RemoteReference = { ...parsed, ...(parsed.digest === undefined && { tag: parsed.tag ?? "latest" }) }
  const source = await registries.open(access)
  const { descriptor, bytes } = await source.resolve(ref)
  const repository = `${ref.registry}/${ref.repository}`
  const name = ref.tag === undefined ? `${repository}@${descriptor.digest}` : `${repository}:${ref.tag}`
  return {
    name,
    descriptor,
    bytes,
    document: JSON.parse(Buffer.from(bytes).toString()) as object,
    async verbose() {
      const top = parseManifest(bytes, descriptor.mediaType, `manifest of ${name}`)
      if (top.kind === "manifest") return verboseEntry(name, descriptor, bytes)
      return Promise.all(top.index.manifests.map((entry) => fetched(source, ref, entry)))
    },
  }
}

async function fetched(source: RegistrySource, ref: RemoteReference, entry: Descriptor): Promise<object> {
  const { registry, repository } = ref
  const { bytes } = await source.resolve({ registry, repository, digest: entry.digest })
  return verboseEntry(`${registry}/${repository}@${entry.digest}`, entry, bytes)
}

function verboseEntry(name: string, descriptor: Descriptor, bytes: Uint8Array): object {
  const key = descriptor.mediaType.includes("docker") ? "SchemaV2Manifest" : "OCIManifest"
  return {
    Ref: name,
    Descriptor: descriptor,
    Raw: Buffer.from(bytes).toString("base64"),
    [key]: JSON.parse(Buffer.from(bytes).toString()) as object,
  }
}
