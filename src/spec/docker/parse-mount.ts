import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import { parseSize } from "../../base/sizes.ts"
import { splitCsv } from "./csv.ts"
import { readMountKey, type MountDraft } from "./mount-keys.ts"
import {
  absolutePath,
  checkTarget,
  checkVolumeName,
  type MountRequest,
  type ShownFiles,
  type TmpfsRequest,
} from "./mount-request.ts"
import { parseFileMode } from "./parse-tmpfs.ts"

/**
 * Parses docker's and podman's `--mount type=bind,source=/host,target=/in,readonly`. A relative source starts at `cwd`. Throws
 * InvalidArgument in docker's words, Unsupported for a type that is known and not had.
 */
export function parseMount(text: string, cwd: string): MountRequest {
  const draft: MountDraft = { type: "volume", special: [], options: [], values: new Map() }
  for (const field of splitCsv(text, "mount")) {
    const equals = field.indexOf("=")
    const key = (equals < 0 ? field : field.slice(0, equals)).trim().toLowerCase()
    readMountKey(draft, key, equals < 0 ? undefined : field.slice(equals + 1), field)
  }
  const { type, special } = draft
  for (const { key, owners } of special)
    if (!owners.includes(type)) throw invalid(`cannot mix '${key}' with mount type '${type}'`)
  const build = BUILDERS[type]
  if (build === undefined) throw unknownType(type)
  if (draft.target === undefined && type !== "glob") throw invalid("target is required")
  const target = draft.target === undefined ? "" : checkTarget(draft.target)
  return build(draft, { target, readOnly: draft.readOnly ?? false }, cwd)
}

type Common = Pick<TmpfsRequest, "target" | "readOnly">

const BUILDERS: Readonly<Record<string, (draft: MountDraft, common: Common, cwd: string) => MountRequest>> = {
  bind(draft, common, cwd) {
    const { propagation, createSource = false } = draft
    const source = absolutePath(sourceOf(draft), cwd)
    const shown = shownFiles(draft)
    if (shown.recursion === "readonly" && !common.readOnly)
      throw invalid("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction")
    const bind = { type: "bind", source, ...common, createSource, ...shown } as const
    return propagation === undefined ? bind : { ...bind, propagation }
  },

  glob(draft, common, cwd) {
    return { type: "glob", source: absolutePath(sourceOf(draft), cwd), ...common, ...shownFiles(draft) }
  },

  volume(draft, common) {
    const { source, copyUp = true, subpath, driver, driverOptions, labels } = draft
    if (subpath !== undefined && !source) throw invalid("must not set Subpath when using anonymous volumes")
    return {
      type: "volume",
      ...common,
      copyUp,
      ...(source ? { source: checkVolumeName(source) } : {}),
      ...(subpath === undefined ? {} : { subpath }),
      ...(driver === undefined ? {} : { driver }),
      ...(driverOptions === undefined ? {} : { driverOptions }),
      ...(labels === undefined ? {} : { labels }),
      ...shownFiles(draft),
    }
  },

  image(draft, { target }) {
    const { subpath } = draft
    // read-only unless it is said: the image itself never changes
    const image = { type: "image", source: sourceOf(draft), target, readOnly: draft.readOnly ?? true } as const
    return subpath === undefined ? image : { ...image, subpath }
  },

  tmpfs(draft, common) {
    if (draft.source !== undefined) throw invalid("source is not for mount type 'tmpfs'")
    const { values } = draft
    const [size, mode] = [values.get("size"), values.get("mode")]
    const owner = ["uid", "gid"].flatMap((key) => (values.has(key) ? [`${key}=${values.get(key)}`] : []))
    const options = [...draft.options, ...owner]
    return {
      type: "tmpfs",
      ...common,
      ...(size === undefined ? {} : { sizeBytes: parseSize(size, "value for tmpfs-size") }),
      ...(mode === undefined ? {} : { mode: parseFileMode(mode) }),
      ...(options.length === 0 ? {} : { options }),
    }
  },

  devpts({ values, options: words }, common) {
    const options = [...words, ...[...values].map(([key, value]) => `${key}=${value}`)]
    return { type: "devpts", ...common, ...(options.length === 0 ? {} : { options }) }
  },
}

function shownFiles({ options, recursion, overlay, chown, idMap }: MountDraft): ShownFiles {
  return {
    ...(options.length === 0 ? {} : { options }),
    ...(recursion === undefined ? {} : { recursion }),
    ...(overlay === undefined ? {} : { overlay }),
    ...(chown === undefined ? {} : { chown }),
    ...(idMap === undefined ? {} : { idMap }),
  }
}

function sourceOf({ type, source }: MountDraft): string {
  if (source === undefined) throw invalid(`source is required for mount type '${type}'`)
  return source
}

function unknownType(type: string): InvalidArgument | Unsupported {
  const hint = { valid: Object.keys(BUILDERS) }
  if (type === "artifact")
    return new Unsupported("mount type 'artifact' is not supported: there are no artifacts in this store", { hint })
  if (["npipe", "cluster", "ramfs"].includes(type))
    return new Unsupported(`mount type '${type}' is not supported here`, { hint })
  return new InvalidArgument(`mount type unknown: "${type}"`, { hint })
}

function invalid(message: string): InvalidArgument {
  return new InvalidArgument(message)
}
