import type { ArchiveFiles } from "../../archive/archive.ts"
import type { Bytes } from "../../base/bytes.ts"
import { DataLoss, isSkiffError, NotFound } from "../../base/errors.ts"
import { digestAlgorithm, digestHex, type Digest } from "../../spec/digest.ts"
import { MAX_MANIFEST_BYTES, type Descriptor } from "../../spec/oci-image.ts"
import { checkLayoutVersion, parseLayoutIndex } from "../../spec/oci-layout.ts"
import type { ImageSource } from "../image.ts"
import { readSmall } from "./read-small.ts"
import type { NewArchivedImage } from "./archived-image.ts"

const MAX_LAYOUT_BYTES = 4096
/** image-spec annotations.md; a name within a layout */
export const REF_NAME = "org.opencontainers.image.ref.name"

/** The images of an OCI layout (image-spec image-layout.md), as a directory or in an archive. */
export async function imagesOfLayout(files: ArchiveFiles): Promise<NewArchivedImage[]> {
  checkLayoutVersion(await readSmall(files, "oci-layout", MAX_LAYOUT_BYTES))
  const index = parseLayoutIndex(await readSmall(files, "index.json", MAX_MANIFEST_BYTES))
  const source = new LayoutSource(files)
  const images = new Map<Digest, FoundImage>()
  for (const descriptor of index.manifests) {
    // buildkit's attestations stand beside the images they are about
    if (descriptor.platform?.os === "unknown") continue
    const known = images.get(descriptor.digest)
    const image: FoundImage = known ?? { source, names: [], refNames: [], top: await source.top(descriptor) }
    images.set(descriptor.digest, image)
    const name = nameOf(descriptor)
    if (name !== undefined) image.names.push(name)
    const refName = descriptor.annotations?.[REF_NAME]
    if (refName !== undefined) image.refNames.push(refName)
  }
  return [...images.values()]
}

type FoundImage = NewArchivedImage & { names: string[]; refNames: string[] }

/** Docker and containerd give the full name beside the tag that image-layout.md has; podman and we put it there. */
function nameOf({ annotations = {} }: Descriptor): string | undefined {
  const whole = annotations["io.containerd.image.name"]
  if (whole !== undefined) return whole
  const name = annotations[REF_NAME]
  return name !== undefined && /[:/]/.test(name) ? name : undefined
}

class LayoutSource implements ImageSource {
  readonly #files: ArchiveFiles

  constructor(files: ArchiveFiles) {
    this.#files = files
  }

  async top(descriptor: Descriptor): ReturnType<ImageSource["resolve"]> {
    const bytes = await readSmall(this.#files, blobName(descriptor.digest), MAX_MANIFEST_BYTES)
    if (bytes.length !== descriptor.size)
      throw new DataLoss(`manifest ${descriptor.digest} has ${bytes.length} bytes, index.json says ${descriptor.size}`)
    return { descriptor, bytes }
  }

  async resolve({ digest }: { digest?: Digest }): ReturnType<ImageSource["resolve"]> {
    if (digest === undefined) throw new NotFound("an archive knows its manifests by digest")
    const bytes = await readSmall(this.#files, blobName(digest), MAX_MANIFEST_BYTES)
    return { descriptor: { mediaType: "", digest, size: bytes.length }, bytes }
  }

  async fetch(_: unknown, descriptor: Descriptor, offset = 0): ReturnType<ImageSource["fetch"]> {
    return { offset, bytes: this.#files.read(this.#name(descriptor), offset) }
  }

  readAgain(descriptor: Descriptor): Bytes {
    return this.#files.read(this.#name(descriptor), 0, { reuse: true })
  }

  #name({ digest, size }: Descriptor): string {
    const name = blobName(digest)
    const is = sizeOf(this.#files, name)
    if (is !== size) throw new DataLoss(`blob ${digest} of the archive has ${is} bytes, its manifest says ${size}`)
    return name
  }
}

function sizeOf(files: ArchiveFiles, name: string): number {
  try {
    return files.size(name)
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
    throw new DataLoss(`${error.message}, which its manifest names`, { hint: "make the archive again" })
  }
}

function blobName(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`
}
