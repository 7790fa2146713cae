import { bytes, either, flag, pairs, struct, text, textList } from "../keys.ts"
import { extraHosts, fileReferences, ulimits } from "./shared-keys.ts"

/** How an image is made. */
export const build = either(
  [text()],
  struct({
    context: text({ path: "context" }),
    dockerfile: text(),
    dockerfile_inline: text(),
    entitlements: textList(),
    args: pairs("mapping"),
    provenance: { types: ["string", "boolean"], type: "text", long: "text" },
    sbom: { types: ["string", "boolean"], type: "text", long: "text" },
    ssh: { forms: pairs("pairs").forms ?? [], type: "ssh", long: "ssh", path: "ssh" },
    labels: pairs("pairs"),
    cache_from: textList(),
    cache_to: textList(),
    no_cache: flag(),
    additional_contexts: pairs("pairs", { long: "pairs", path: "contexts" }),
    pull: flag(),
    extra_hosts: extraHosts,
    isolation: text(),
    network: text(),
    target: text(),
    secrets: fileReferences(undefined),
    shm_size: bytes({ types: ["integer", "string"] }),
    tags: textList({ same: "name" }),
    ulimits,
    platforms: textList(),
    privileged: flag(),
  }),
  { long: "build", merge: "build" },
)
