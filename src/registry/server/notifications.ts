/** What happened, in distribution's notification format ("Work with notifications"). */
import { hostname } from "node:os"
import { randomUUID } from "node:crypto"
import type { Exchange } from "./observer.ts"

/** Content type of an envelope. */
export const ENVELOPE_TYPE = "application/vnd.docker.distribution.events.v1+json"

const MAX_TEXT = 500

/** One event of an envelope. */
export interface NotificationEvent {
  id: string
  timestamp: string
  action: "pull" | "push" | "mount" | "delete"
  target: {
    mediaType?: string
    size?: number
    length?: number
    digest?: string
    repository: string
    fromRepository?: string
    url?: string
    tag?: string
  }
  request: { id: string; addr: string; host: string; method: string; useragent: string }
  actor: { name?: string }
  source: { addr: string; instanceID: string }
}

const INSTANCE = { addr: hostname(), instanceID: randomUUID() }

/** The event that an exchange is; undefined for one that is none: a refusal, a look, a part of an upload. */
export function eventOf({ request, route, answer, peer, user }: Exchange, url: string): NotificationEvent | undefined {
  if (!answer.ok || route === undefined || !("repository" in route)) return undefined
  const action = actionOf(request, route.kind, answer)
  if (action === undefined) return undefined
  const asked = new URL(request.url).searchParams
  const tag = route.kind === "manifest" && "tag" in route.reference ? route.reference.tag : undefined
  const named = route.kind === "blob" ? route.digest : undefined
  const byDigest = route.kind === "manifest" && "digest" in route.reference ? route.reference.digest : undefined
  const digest = answer.headers.get("Docker-Content-Digest") ?? named ?? byDigest
  const isManifest = route.kind === "manifest"
  const mediaType = (action === "push" ? request : answer).headers.get("Content-Type")
  const length = Number((action === "push" ? request : answer).headers.get("Content-Length"))
  const from = action === "mount" ? asked.get("from") : null
  return {
    id: randomUUID(),
    timestamp: new Date().toISOString(),
    action,
    target: {
      mediaType: isManifest ? short(mediaType) : "application/octet-stream",
      ...(length > 0 && action !== "mount" && action !== "delete" && { size: length, length }),
      ...(digest && { digest }),
      repository: route.repository,
      ...(from !== null && { fromRepository: from }),
      ...(digest &&
        action !== "delete" && {
          url: `${url}/v2/${route.repository}/${isManifest ? "manifests" : "blobs"}/${digest}`,
        }),
      ...(tag !== undefined && { tag }),
    },
    request: {
      id: randomUUID(),
      addr: peer ?? "",
      host: short(request.headers.get("Host")),
      method: request.method,
      useragent: short(request.headers.get("User-Agent")),
    },
    actor: user === undefined ? {} : { name: user },
    source: INSTANCE,
  }
}

function actionOf(
  { method, url }: Request,
  kind: string,
  { status }: Response,
): NotificationEvent["action"] | undefined {
  if (kind === "blob" || kind === "manifest") {
    if (method === "GET" && (status === 200 || status === 206)) return "pull"
    if (method === "DELETE") return "delete"
    return method === "PUT" ? "push" : undefined
  }
  if (status !== 201) return undefined
  return kind === "uploads" && new URL(url).searchParams.has("mount") ? "mount" : "push"
}

function short(text: string | null): string {
  return (text ?? "").slice(0, MAX_TEXT)
}
