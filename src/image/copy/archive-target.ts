import { createHash, randomUUID } from "node:crypto"
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, createReadStream, renameSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { decompressBounded } from "../../archive/archive.ts"
import { AlreadyExists, DataLoss } from "../../base/errors.ts"
import { digestHex, isDigest, type Digest } from "../../spec/digest.ts"
import { parseManifest } from "../../spec/parse-manifest.ts"
import { compressionOf } from "../layer-compressor.ts"
import { taggedName } from "../reference.ts"
import { tarOfFiles } from "../save/save-images.ts"
import { documentFile, type SavedFile } from "../save/saved-file.ts"
import type { CopyTarget } from "./copy-target.ts"
import { loadIntoDaemon } from "./docker-daemon.ts"
import { checked, writeAside } from "./directory-blobs.ts"
import { layoutTarget } from "./layout-target.ts"

/** An OCI layout as one tar, which takes the place of what has the path. `undo` removes what it is put together in. */
export function ociArchiveTarget(path: string, name: string | undefined, undo: AsyncDisposableStack): CopyTarget {
  const directory = workDirectory(path, undo)
  const layout = layoutTarget(directory, name)
  return {
    ...layout,
    async commit(top) {
      await layout.commit(top)
      await writeAside(path, tarOfFiles(filesBelow(directory)))
    },
  }
}

/** `docker save`'s form: a config, plain layers by their diff ids, `manifest.json`. It keeps no manifest of a registry. */
export function dockerArchiveTarget(path: string, words: readonly string[], undo: AsyncDisposableStack): CopyTarget {
  if (existsSync(path) && statSync(path).size > 0)
    throw new AlreadyExists(`"${path}" is there already`, { hint: "a docker-archive is not added to: remove it first" })
  const directory = workDirectory(path, undo)
  const names = words.length === 0 ? null : words.map(taggedName)
  const files = new Map<Digest, string>()
  const fileOf = ({ digest }: { digest: Digest }): string => {
    const found = files.get(digest)
    if (found === undefined) throw new DataLoss(`blob ${digest} is kept elsewhere, an archive has all of them`)
    return found
  }
  return {
    single: true,
    keepsNoManifest: true,
    async blob({ descriptor, read }) {
      const { digest } = descriptor
      const aside = join(directory, digestHex(digest))
      const isLayer = /layer|rootfs/.test(descriptor.mediaType)
      const hash = createHash("sha256")
      const whole = checked(read(0), descriptor)
      const bytes = isLayer && compressionOf(descriptor) !== "none" ? decompressBounded(whole, "layer") : whole
      await writeAside(
        aside,
        (async function* () {
          for await (const chunk of bytes) {
            hash.update(chunk)
            yield chunk
          }
        })(),
      )
      const file = isLayer ? `${hash.digest("hex")}.tar` : `${digestHex(digest)}.json`
      renameSync(aside, join(directory, file))
      files.set(digest, file)
      return true
    },
    async child() {
      throw new Error("unreachable: it holds no index")
    },
    async commit({ descriptor, bytes }) {
      const parsed = parseManifest(bytes, descriptor.mediaType)
      if (parsed.kind === "index") throw new Error("unreachable: it holds no index")
      const { config, layers } = parsed.manifest
      const manifest = [{ Config: fileOf(config), RepoTags: names, Layers: layers.map(fileOf) }]
      await writeAside(
        path,
        tarOfFiles(
          (async function* () {
            yield* filesBelow(directory)
            yield documentFile("manifest.json", manifest)
          })(),
        ),
      )
    },
  }
}

/** Docker's own store: an archive that it loads. */
export function daemonTarget(
  name: string,
  { scratch, address }: { scratch: string; address: string | undefined },
  { signal }: { signal?: AbortSignal },
  undo: AsyncDisposableStack,
): CopyTarget {
  const path = join(scratch, `daemon-${randomUUID()}`)
  undo.defer(() => rmSync(path, { force: true }))
  const archive = dockerArchiveTarget(path, isDigest(name) ? [] : [name], undo)
  return {
    ...archive,
    async commit(top) {
      await archive.commit(top)
      await loadIntoDaemon(path, { address, signal })
    },
  }
}

/** Beside the archive, so that it is on the same file system. */
function workDirectory(path: string, undo: AsyncDisposableStack): string {
  const whole = resolve(path)
  const directory = mkdtempSync(join(dirname(whole), `.${basename(whole)}-`))
  undo.defer(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function* filesBelow(directory: string): AsyncGenerator<SavedFile> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
  for (const name of names.toSorted()) {
    const path = join(directory, name)
    yield { name, size: statSync(path).size, bytes: () => createReadStream(path) }
  }
}
