/**
 * Kubernetes' API by HTTPS, for kubectl, helm and client libraries: what kube/api answers in the process of a command, put on a socket.
 *
 *   kubectl ── TLS, a token ──▶ handle.ts ──▶ engine.kubeApi()
 *                  └─ exec, attach, port-forward: SPDY/3.1 or WebSocket ──▶ streams.ts ──▶ the engine's containers
 *   pods ── https://kubernetes.default.svc, their account's token ──▶ pod-door.ts ──▶ the same
 *
 * It holds nothing: objects are the store's, and who asks is known by a token each time. The owner's token and the certificate lie in a
 * directory that the owner alone reads. It may be killed at any moment.
 */
import { readFileSync } from "node:fs"
import { PermissionDenied } from "../base/errors.ts"
import type { Engine } from "../engine/engine.ts"
import { apiService } from "../kube/kube.ts"
import { clientCertificate, madeCertificate } from "../sys/net/made-certificate.ts"
import { Callers } from "./callers.ts"
import { Doors } from "./doors.ts"
import { handle } from "./handle.ts"
import { kubeconfigText, writeKubeconfig, writtenUrl } from "./kubeconfig.ts"
import { openPodDoor, publishToAll } from "./pod-door.ts"
import { serveStream } from "./streams.ts"

/** Where it listens, and where it keeps what its callers need. */
export interface ApiServerOptions {
  hostname: string
  /** 0: any that is free. */
  port: number
  /** Of certificate and tokens; made with mode 0700. */
  directory: string
  /** Where the kubeconfig is written. */
  kubeconfig: string
  /** Pods reach it as the Service `kubernetes`. */
  forPods: boolean
  /** What went wrong beside it, for people. */
  onNote(text: string): void
}

/** One that listens. */
export interface ApiServer extends AsyncDisposable {
  readonly url: string
}

/**
 * A kubeconfig by whose certificate somebody is known: a user with groups, who may do what roles say. There is no way to take it back but its end. Throws NotFound
 * before the API was served for the first time, PermissionDenied for the group that may do all.
 */
export async function userKubeconfig(
  directory: string,
  { name, groups, days, url }: { name: string; groups: readonly string[]; days: number; url?: string | undefined },
): Promise<string> {
  // kube-apiserver, CertificateSubjectRestriction: nobody could ever take it back
  if (groups.includes("system:masters"))
    throw new PermissionDenied(`a certificate of the group "system:masters" could not be taken back before its end`, {
      hint: "bind the ClusterRole cluster-admin to the user",
    })
  const { cert, key } = await clientCertificate(`${directory}/tls`, { name, groups, days })
  return kubeconfigText({
    url: url ?? writtenUrl(`${directory}/kubeconfig`) ?? "https://127.0.0.1:6443",
    authority: `${directory}/tls/ca.crt`,
    user: { name, cert, key },
  })
}

/** Serves until it is disposed of. Throws NotFound without openssl, errno errors: EADDRINUSE, EACCES. */
export async function serveApi(engine: Engine, options: ApiServerOptions): Promise<ApiServer> {
  const [api, objects, { API_NAMES, apiAddress }] = await Promise.all([
    engine.kubeApi(),
    engine.kubeObjects(),
    apiService(),
  ])
  const place = options.forPods ? await engine.podPlace() : undefined
  const inside = place === undefined ? [] : [`IP:${apiAddress(place.services)}`, `IP:${place.gateway}`]
  const certificate = await madeCertificate(`${options.directory}/tls`, {
    authority: "kubernetes",
    more: [...API_NAMES.map((name) => `DNS:${name}`), ...inside],
  })
  const callers = new Callers(options.directory, objects)
  const authority = readFileSync(certificate.authority, "utf8")
  await using undo = new AsyncDisposableStack()
  const doors = undo.use(
    new Doors({
      pair: { ...certificate, authority },
      onRequest: (request, response) => void handle(api, callers, request, response),
      onUpgrade: (request, socket, head) => void serveStream({ engine, api, callers }, request, socket, head),
    }),
  )
  const port = await doors.open({ host: options.hostname, port: options.port })
  publishToAll(objects, authority)
  if (place !== undefined) undo.use(await openPodDoor({ engine, objects, doors, place, port, onNote: options.onNote }))
  const host = options.hostname.includes(":") ? `[${options.hostname}]` : options.hostname
  const url = `https://${host === "0.0.0.0" ? "127.0.0.1" : host === "[::]" ? "[::1]" : host}:${port}`
  writeKubeconfig(options.kubeconfig, { url, authority: certificate.authority, user: { token: callers.ownerToken } })
  const owned = undo.move()
  return { url, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
