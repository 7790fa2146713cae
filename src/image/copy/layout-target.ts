import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import { AlreadyExists } from "../../base/errors.ts"
import { digestAlgorithm, digestHex, type Digest } from "../../spec/digest.ts"
import { MediaType, type Descriptor } from "../../spec/oci-image.ts"
import { checkLayoutVersion, LAYOUT_FILE, parseLayoutIndex } from "../../spec/oci-layout.ts"
import type { ResolvedManifest } from "../image.ts"
import { REF_NAME } from "../load/oci-layout.ts"
import type { CopyTarget } from "./copy-target.ts"
import { writeBlob } from "./directory-blobs.ts"

/** An OCI layout, new or with images in it: one more is added, or takes the place of the one of its name. */
export function layoutTarget(path: string, name: string | undefined): CopyTarget {
  mkdirSync(path, { recursive: true })
  if (existsSync(join(path, "oci-layout"))) checkLayoutVersion(readFileSync(join(path, "oci-layout")))
  else if (readdirSync(path).length > 0)
    throw new AlreadyExists(`the directory "${path}" has other files in it, and is no OCI layout`, {
      hint: "name another, or remove it first",
    })
  else write(path, "oci-layout", LAYOUT_FILE)
  const file = (digest: Digest) => join(path, "blobs", digestAlgorithm(digest), digestHex(digest))
  const put = async ({ descriptor, bytes }: ResolvedManifest) => {
    await writeBlob(file(descriptor.digest), {
      descriptor,
      async *read() {
        yield bytes
      },
    })
  }
  return {
    format: "oci",
    blob: (blob) => writeBlob(file(blob.descriptor.digest), blob),
    child: put,
    async commit(top) {
      await put(top)
      const { mediaType, digest, size } = top.descriptor
      const entry = { mediaType, digest, size, ...(name !== undefined && { annotations: { [REF_NAME]: name } }) }
      write(path, "index.json", withEntry(path, entry))
    },
  }
}

function withEntry(path: string, entry: Descriptor): object {
  const file = join(path, "index.json")
  const index = existsSync(file) ? readFileSync(file) : undefined
  const name = entry.annotations?.[REF_NAME]
  const others = (index === undefined ? [] : parseLayoutIndex(index).manifests).filter(({ digest, annotations }) => {
    const own = annotations?.[REF_NAME]
    return name === undefined ? own !== undefined || digest !== entry.digest : own !== name
  })
  const before = index === undefined ? {} : (JSON.parse(index.toString()) as object)
  return { schemaVersion: 2, mediaType: MediaType.ociIndex, ...before, manifests: [...others, entry] }
}

function write(path: string, name: string, document: object): void {
  atomicWrite(join(path, name), JSON.stringify(document), { mode: 0o644 })
}
