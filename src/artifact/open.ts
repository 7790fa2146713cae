import { DataLoss } from "../base/errors.ts"
import { MAX_MANIFEST_BYTES, type ImageManifest } from "../spec/oci-image.ts"
import { parseManifest } from "../spec/parse-manifest.ts"
import type { Artifact, Artifacts } from "./artifact.ts"
import type { ArtifactsDeps, OpenArtifacts } from "./deps.ts"
import { ArtifactRecords } from "./records.ts"

/** The artifacts of one store. */
export function openArtifacts(given: OpenArtifacts): Artifacts {
  const records = new ArtifactRecords(given.db)
  const manifest = async ({ name, digest }: Artifact): Promise<ImageManifest> => {
    const bytes = await given.content.readAll(digest, MAX_MANIFEST_BYTES)
    const parsed = parseManifest(bytes, undefined, `manifest of artifact ${name}`)
    if (parsed.kind === "index") throw new DataLoss(`the manifest of artifact ${name} is an index`)
    return parsed.manifest
  }
  const deps: ArtifactsDeps = { ...given, manifest }
  return {
    list: () => records.list(),
    get: (text) => records.get(text),
    manifest,
    add: async (name, options) => (await import("./add-artifact.ts")).addArtifact(deps, records, name, options),
    extract: async (text, target, choice = {}) =>
      (await import("./extract-artifact.ts")).extractArtifact(deps, records.get(text), target, choice),
    pull: async (name, options = {}) => (await import("./transfer.ts")).pullArtifact(deps, records, name, options),
    push: async (name, options = {}) => (await import("./transfer.ts")).pushArtifact(deps, records.get(name), options),
    async remove(text) {
      const { name, digest } = records.get(text)
      records.delete(name)
      await given.collect()
      return digest
    },
  }
}
