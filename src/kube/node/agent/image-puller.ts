import { isSkiffError } from "../../../base/errors.ts"
import { limiter } from "../../../base/limiter.ts"
import type { Secret } from "kubernetes-types/core/v1"
import type { Image, Images } from "../../../image/image.ts"
import type { RegistryAccess } from "../../../registry/registry.ts"
import { BackOffs } from "./back-offs.ts"

const PULLS_AT_ONCE = 3

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

/** Images of pods: each name is pulled once at a time, whoever waits for it; what failed is tried again later and later. */
export class ImagePuller {
  readonly #images: Images
  readonly #limit = limiter(PULLS_AT_ONCE)
  readonly #pulls = new Map<string, Promise<Image>>()
  readonly #backOffs = new BackOffs()
  readonly #failures = new Map<string, { at: number; message: string }>()

  constructor(images: Images) {
    this.#images = images
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
    if (here !== undefined && (policy !== "Always" || isBuiltHere(reference))) return { image: here, was: "here" }
    if (policy === "Never")
      return {
        image: undefined,
        reason: "ErrImageNeverPull",
        message: `Container image "${reference}" is not present with pull policy of Never`,
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
      const image = await this.#pull(reference, secrets)
      this.#backOffs.forget(key)
      this.#failures.delete(key)
      return { image, was: "pulled", tookMs: Date.now() - begun }
    } catch (error) {
      const message = (error as Error).message
      // on one machine the image that was built here is as good as one in a registry that nobody answers for
      if (here !== undefined) return { image: here, was: "here", trouble: message }
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

  #find(reference: string): Image | undefined | Error {
    try {
      return this.#images.find(reference)
    } catch (error) {
      return isSkiffError(error, "InvalidArgument") ? (error as Error) : undefined
    }
  }

  #pull(reference: string, secrets: readonly Secret[]): Promise<Image> {
    const credentials = credentialsFor(reference, secrets)
    // with whose credentials it comes is a difference
    const key = credentials === undefined ? reference : `${reference}\0${JSON.stringify(credentials)}`
    let pull = this.#pulls.get(key)
    if (pull === undefined) {
      pull = this.#limit(async () => {
        const access: RegistryAccess = credentials === undefined ? {} : { credentials }
        return (await this.#images.pull(reference, access)).image
      }).finally(() => this.#pulls.delete(key))
      this.#pulls.set(key, pull)
    }
    return pull
  }
}

/** Names that no registry has. */
function isBuiltHere(reference: string): boolean {
  return reference.startsWith("localhost/")
}

interface DockerConfig {
  auths?: Record<string, { username?: string; password?: string; auth?: string } | undefined>
}

/** Of the first imagePullSecret that knows the image's registry. Secrets are a user's: what is no JSON is passed over. Pure. */
export function credentialsFor(
  reference: string,
  secrets: readonly Secret[],
): { username: string; password: string } | undefined {
  const first = reference.split("/")[0] ?? ""
  const host = reference.includes("/") && /[.:]|^localhost$/.test(first) ? first : "docker.io"
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
      if (username !== "") return { username, password }
    }
  return undefined
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
