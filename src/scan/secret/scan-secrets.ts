import { shownPath, type FileTree, type TreeEntry } from "../../sbom/sbom.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { BUILTIN, findSecrets, isAllowedPath, type SecretRules } from "./find-secrets.ts"
import { withoutNamedValues } from "./named-values.ts"
import { toldSecrets } from "./hide-secrets.ts"
import type { ImageConfig } from "../../spec/oci-image.ts"
import type { ScanSubject, Secret, SubjectLayer } from "../scan.ts"

/** Of a file; larger ones hold data, not what somebody wrote. */
export const MAX_SECRET_FILE_BYTES = 10 * 1024 ** 2
/** Of all that is told: more is a list that nobody reads. */
const MAX_SECRETS = 10_000
/** A NUL among the first bytes: no text. */
const TEXT_PROBE_BYTES = 8_000

/** Which rules, and which files not. */
export interface SecretScanOptions {
  rules?: SecretRules
  /** By path relative to the root. */
  isSkipped?: (path: string) => boolean
  signal?: AbortSignal | undefined
}

/** What was found, and what was not looked at, for people. */
export interface SecretScan {
  secrets: Secret[]
  leftOut: string[]
  /** There are more than `secrets` has. */
  isCut: boolean
}

/**
 * The secrets of a subject: in its files, in files that a later layer deletes or overwrites, and in what its configuration tells to
 * everybody (ENV, LABEL, history with its build arguments). Throws Cancelled.
 */
export function scanSecrets(subject: ScanSubject, options: SecretScanOptions = {}): SecretScan {
  const scan = new Scan(options)
  if (subject.tree !== undefined) scan.tree(subject.tree, (path) => ({ layer: subject.layerOf(path) }))
  scan.config(subject)
  for (const layer of subject.layers) scan.hiddenFiles(subject, layer)
  return scan.result
}

class Scan {
  readonly #rules: SecretRules
  readonly #isSkipped: (path: string) => boolean
  readonly #signal: AbortSignal | undefined
  readonly #secrets: Secret[] = []
  readonly #leftOut: string[] = []
  #large = 0

  constructor({ rules = BUILTIN, isSkipped = () => false, signal }: SecretScanOptions) {
    this.#rules = rules
    this.#isSkipped = isSkipped
    this.#signal = signal
  }

  get result(): SecretScan {
    return {
      secrets: this.#secrets.slice(0, MAX_SECRETS),
      isCut: this.#secrets.length > MAX_SECRETS,
      leftOut: [
        ...this.#leftOut,
        ...(this.#large === 0 ? [] : [`${this.#large} files of more than 10 MiB, in which no secrets were looked for`]),
        ...(this.#secrets.length > MAX_SECRETS ? [`all but the first ${MAX_SECRETS} secrets`] : []),
      ],
    }
  }

  tree(
    tree: FileTree,
    placeOf: (path: string) => { layer?: SubjectLayer | undefined; isDeleted?: boolean } | undefined,
  ): void {
    for (const entry of tree.walk()) {
      if (this.#secrets.length > MAX_SECRETS) return
      if (!this.#isLookedAt(entry)) continue
      const path = shownPath(entry.path)
      const place = placeOf(path)
      const text = place && this.#textOf(entry)
      if (text === undefined) continue
      const found = findSecrets({ text, path: entry.path }, this.#rules, this.#signal)
      const room = MAX_SECRETS + 1 - this.#secrets.length
      if (found.length > 0) this.#secrets.push(...toldSecrets(text, found, { path, ...place }, room))
    }
  }

  /** Files of a layer that nobody sees in the whole, and that who pulls it has all the same. */
  hiddenFiles(subject: ScanSubject, layer: SubjectLayer): void {
    if (layer.open === undefined || layer === subject.layers.at(-1)) return
    using tree = layer.open()
    this.tree(tree, (path) => {
      const seen = subject.layerOf(path)
      if (seen?.diffId === layer.diffId) return undefined
      return { layer, isDeleted: true }
    })
    this.#leftOut.push(...tree.leftOut)
  }

  /** What is in no file. */
  config({ image }: ScanSubject): void {
    const { config, history = [] } = image?.config ?? ({} as Partial<ImageConfig>)
    const pairs = [
      ...(config?.Env ?? []).map((pair) => `ENV ${quotedPair(pair)}`),
      ...Object.entries(config?.Labels ?? {}).map(([key, value]) => `LABEL ${quotedPair(`${key}=${value}`)}`),
      ...history.flatMap(({ created_by: line }) => (line === undefined ? [] : [`HISTORY ${line}`])),
    ]
    for (const pair of pairs) {
      const text = rawName(pair)
      const told = toldSecrets(text, findSecrets({ text, path: "" }, this.#rules), {})
      // what stands beside it may be one as well
      for (const secret of told) this.#secrets.push(Object.assign(secret, { match: withoutNamedValues(secret.match) }))
    }
  }

  #isLookedAt({ path, name, isDirectory }: TreeEntry): boolean {
    if (isDirectory || BINARY_NAMES.test(name) || LOCK_FILES.test(name)) return false
    return !isAllowedPath(path, this.#rules.allow) && !this.#isSkipped(path)
  }

  #textOf(entry: TreeEntry): string | undefined {
    this.#signal?.throwIfAborted()
    const stat = entry.stat()
    if (stat?.type !== "file" || stat.sizeBytes < 10) return undefined
    if (stat.sizeBytes > MAX_SECRET_FILE_BYTES) {
      this.#large++
      return undefined
    }
    const bytes = entry.read(MAX_SECRET_FILE_BYTES)
    if (bytes === undefined || bytes.subarray(0, TEXT_PROBE_BYTES).includes(0)) return undefined
    return bytes.toString("latin1")
  }
}

/** `KEY=VALUE` → `KEY="VALUE"`, as a Dockerfile would have it. */
function quotedPair(pair: string): string {
  const equals = pair.indexOf("=")
  return `${pair.slice(0, equals + 1)}"${pair.slice(equals + 1)}"`
}

/** No text, by its name. */
const BINARY_NAMES =
  /\.(?:jpe?g|png|gif|ico|webp|bmp|tiff?|svg|pdf|mp[34]|ogg|wav|avi|mov|woff2?|ttf|otf|eot|zip|t?gz|bz2|xz|zst|lz4|7z|rar|jar|war|ear|deb|rpm|apk|whl|so|a|o|pyc|pyo|class|mo|wasm|exe|dll|db|sqlite3?)$/i
/** Digests of packages look like secrets. */
const LOCK_FILES =
  /^(?:package-lock[.]json|npm-shrinkwrap[.]json|yarn[.]lock|pnpm-lock[.]yaml|bun[.]lockb?|go[.](?:sum|mod)|(?:Cargo|composer|Gemfile|Pipfile|poetry|uv|Podfile|mix|pubspec)[.]lock)$/
