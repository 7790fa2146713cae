import { createHash } from "node:crypto"
import { isSkiffError } from "../../../base/errors.ts"
import { limiter } from "../../../base/limiter.ts"
import type { Secret } from "kubernetes-types/core/v1"
import type { Image, Images } from "../../../image/image.ts"
import type { RegistryAccess } from "../../../registry/registry.ts"
import { BackOffs } from "./back-offs.ts"
import { PulledImages } from "./pulled-images.ts"

const PULLS_AT_ONCE = 3

/** `imagePullPolicy` of a container. */
export type PullPolicy = "Always" | "IfNotPresent" | "Never"

/** How an image came, or why it did not. */
export type PulledImage =
  | { image: Image; was: "here" | "pulled"; tookMs?: number; trouble?: string }
  /** `reason`: as a container that waits for it tells. */
  | { image: undefined; reason: string; message: string; retryAt?: number; isNew: boolean }

/** By the tag, where nobody has said it (kubernetes.io, "Images"). Pure. */
export function pullPolicyOf(image: string, policy: string | undefined): PullPolicy {
  if (policy === "Always" || policy === "Never" || policy === "IfNotPresent") return policy
  const last = image.split("/").at(-1) ?? ""
  return last.includes("@") || (last.includes(":") && !last.endsWith(":latest")) ? "IfNotPresent" : "Always"
}

interface Credentials {
  username: string
  password: string
}

/**
 * Images of pods: each name is pulled once at a time, whoever waits for it; what failed is tried again later and later.
 *
 * A pod pulls with the secrets that it names, or with none: the logins of the store's owner are not for whoever may write objects. What a pod's
 * secret has brought here is for pods with that secret, and for those whom the registry gives it, too (kubernetes: KEP-2535); what is here
 * otherwise, built or pulled by the owner, is for all pods.
 */
export class ImagePuller {
  readonly #images: Pick<Images, "find" | "list" | "pull">
  readonly #limit = limiter(PULLS_AT_ONCE)
  readonly #pulls = new Map<string, Promise<Image>>()
  readonly #backOffs = new BackOffs()
  readonly #failures = new Map<string, { at: number; message: string }>()
  readonly #pulled: PulledImages
  /** What was here before each pull with secrets that is under way. */
  readonly #coming = new Set<ReadonlySet<string>>()

  /** `directory`: where it is written down with whose secrets images came. */
  constructor(images: Pick<Images, "find" | "list" | "pull">, directory: string) {
    this.#images = images
    this.#pulled = new PulledImages(directory)
  }

  /** `onPull` hears that it is being fetched. Never throws for an image that cannot be had. */
  async have(
    reference: string,
    policy: PullPolicy,
    { who, secrets, onPull }: { who: string; secrets: readonly Secret[]; onPull(): void },
  ): Promise<PulledImage> {
    const here = this.#find(reference)
    if (here instanceof Error)
      return {
        image: undefined,
        reason: "InvalidImageName",
        message: `Failed to apply default image tag "${reference}": ${here.message}`,
        isNew: true,
      }
    const accounts = credentialsFor(reference, secrets)
    const mayUse = here !== undefined && this.#mayUse(here.id, accounts)
    if (mayUse && (policy !== "Always" || isBuiltHere(reference))) return { image: here, was: "here" }
    if (policy === "Never")
      return {
        image: undefined,
        reason: "ErrImageNeverPull",
        message:
          here === undefined
            ? `Container image "${reference}" is not present with pull policy of Never`
            : `Container image "${reference}" was pulled with other secrets than the pod's, and is not pulled by its policy`,
        isNew: true,
      }
    const key = `${who}\0${reference}`
    const failure = this.#failures.get(key)
    const delay = failure && this.#backOffs.delayOf(key, failure.at, Date.now())
    if (failure && delay)
      return {
        image: undefined,
        reason: "ImagePullBackOff",
        message: `Back-off pulling image "${reference}": ${failure.message}`,
        retryAt: delay.until,
        isNew: false,
      }
    onPull()
    const begun = Date.now()
    try {
      const image = await this.#pull(reference, accounts)
      this.#backOffs.forget(key)
      this.#failures.delete(key)
      return { image, was: "pulled", tookMs: Date.now() - begun }
    } catch (error) {
      const message = `${(error as Error).message}${isSkiffError(error, "PermissionDenied") ? NO_LOGINS : ""}`
      // on one machine the image that was built here is as good as one in a registry that nobody answers for
      if (mayUse) return { image: here, was: "here", trouble: message }
      const now = Date.now()
      this.#backOffs.count(key, now)
      this.#failures.set(key, { at: now, message })
      const retryAt = this.#backOffs.delayOf(key, now, now)?.until
      return {
        image: undefined,
        reason: "ErrImagePull",
        message: `failed to pull and unpack image "${reference}": ${message}`,
        ...(retryAt !== undefined && { retryAt }),
        isNew: true,
      }
    }
  }

  #mayUse(id: string, accounts: readonly Credentials[]): boolean {
    // it may be the one that a secret brings at this moment, of which nothing is written down yet
    if (!this.#pulled.knows(id) && [...this.#coming].some((before) => !before.has(id))) return false
    return this.#pulled.mayUse(id, accounts.map(accountOf))
  }

  #find(reference: string): Image | undefined | Error {
    try {
      return this.#images.find(reference)
    } catch (error) {
      return isSkiffError(error, "InvalidArgument") ? (error as Error) : undefined
    }
  }

  #pull(reference: string, accounts: readonly Credentials[]): Promise<Image> {
    // with whose credentials it comes is a difference
    const key = `${reference}\0${accounts.map(accountOf).join(" ")}`
    let pull = this.#pulls.get(key)
    if (pull === undefined) {
      pull = this.#limit(() => this.#pullWithOne(reference, accounts)).finally(() => this.#pulls.delete(key))
      this.#pulls.set(key, pull)
    }
    return pull
  }

  /** Each in turn, as kubelet: the first that suffices. */
  async #pullWithOne(reference: string, accounts: readonly Credentials[]): Promise<Image> {
    const before = new Set<string>(this.#images.list().map(({ id }) => id))
    if (accounts.length > 0) this.#coming.add(before)
    try {
      return await this.#pullInTurn(reference, accounts, before)
    } finally {
      this.#coming.delete(before)
    }
  }

  async #pullInTurn(reference: string, accounts: readonly Credentials[], before: ReadonlySet<string>): Promise<Image> {
    const errors: unknown[] = []
    for (const credentials of accounts.length === 0 ? [undefined] : accounts)
      try {
        const access: RegistryAccess = { onlyGiven: true, ...(credentials && { credentials }) }
        const { image } = await this.#images.pull(reference, access)
        // looked at now: one that another pull has brought meanwhile would be forgotten, and so be for all
        const here = new Set<string>(this.#images.list().map(({ id }) => id))
        this.#pulled.note(image.id, {
          account: credentials && accountOf(credentials),
          isNew: !before.has(image.id),
          isThere: (id) => here.has(id) || id === image.id,
        })
        return image
      } catch (error) {
        errors.push(error)
      }
    throw errors[0]
  }
}

const NO_LOGINS =
  " (pods pull with the secrets that they or their service account name as imagePullSecrets, never with this store's logins)"

/** Tells accounts apart, and does not say what they are. */
function accountOf({ username, password }: Credentials): string {
  return createHash("sha256")
    .update(JSON.stringify([username, password]))
    .digest("hex")
}

/** Names that no registry has. */
function isBuiltHere(reference: string): boolean {
  return reference.startsWith("localhost/")
}

interface DockerConfig {
  auths?: Record<string, { username?: string; password?: string; auth?: string } | undefined>
}

/** Those that imagePullSecrets have for the image's registry, in their order. Secrets are a user's: what is no JSON is passed over. Pure. */
export function credentialsFor(reference: string, secrets: readonly Secret[]): Credentials[] {
  const first = reference.split("/")[0] ?? ""
  const host = reference.includes("/") && /[.:]|^localhost$/.test(first) ? first : "docker.io"
  const found: Credentials[] = []
  for (const { data = {} } of secrets)
    for (const [url, entry] of Object.entries(authsOf(data))) {
      const at = url.replace(/^https?:\/\//, "").replace(/\/.*$/, "")
      const isHub = host === "docker.io" && (at === "index.docker.io" || at === "docker.io")
      if (entry === undefined || (at !== host && !isHub)) continue
      const [user = "", ...rest] = Buffer.from(entry.auth ?? "", "base64")
        .toString()
        .split(":")
      const username = entry.username ?? user
      const password = entry.password ?? rest.join(":")
      if (username !== "") found.push({ username, password })
    }
  return found
}

function authsOf(data: Readonly<Record<string, string>>): NonNullable<DockerConfig["auths"]> {
  const text = data[".dockerconfigjson"] ?? data[".dockercfg"]
  if (text === undefined) return {}
  try {
    const config = JSON.parse(Buffer.from(text, "base64").toString()) as DockerConfig & DockerConfig["auths"]
    return (data[".dockerconfigjson"] === undefined ? config : config.auths) ?? {}
  } catch {
    return {}
  }
}
