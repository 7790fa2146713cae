import type { Engine, PodPlace } from "../engine/engine.ts"
import { apiService, publishAuthority, type KubeObjects } from "../kube/kube.ts"
import type { Doors } from "./doors.ts"

/** What pods reach the API by. */
export interface PodDoorOptions {
  engine: Engine
  objects: KubeObjects
  doors: Doors
  place: PodPlace
  port: number
  onNote(text: string): void
}

/** Every namespace has the authority's certificate, for its pods. */
export function publishToAll(objects: KubeObjects, authority: string): void {
  for (const { metadata } of objects.list("namespaces").items)
    if (metadata.deletionTimestamp === undefined) publishAuthority(objects, metadata.name, authority)
}

/**
 * Listens where pods are, at the gateway of their network, and has the Service `kubernetes` lead there. An ordinary user's gateway is there from the first pod
 * on: until it is, each change of a pod is a reason to try. Nothing here ends the server: who asks from elsewhere is answered all the same.
 */
export async function openPodDoor(options: PodDoorOptions): Promise<AsyncDisposable> {
  const { objects, place, port } = options
  const { serveApiService, endApiService } = await apiService()
  const stop = new AbortController()
  const opened: Disposable[] = []
  const told = (error: unknown): void =>
    options.onNote(`pods do not reach the API: ${error instanceof Error ? error.message : String(error)}`)
  const tryOpen = async (): Promise<boolean> => {
    if (place.relay === undefined) {
      try {
        await options.doors.open({ host: place.gateway, port })
      } catch (error) {
        if ((error as { code?: unknown }).code === "EADDRINUSE") return true
        throw error
      }
    } else {
      await options.doors.open({ path: place.relay.socket })
      opened.push(place.relay.start(port))
    }
    return true
  }
  const lead = (): void => serveApiService(objects, { address: place.gateway, port, services: place.services })
  const working = (async () => {
    await using watch = objects.watch({ resources: ["pods", "services"], signal: stop.signal })
    let isOpen = await tryOpen().catch((error: unknown) => (told(error), false))
    lead()
    for await (const { resource, object, type } of watch) {
      if (!isOpen) isOpen = await tryOpen().catch(() => false)
      // somebody has taken it away: it is the cluster's own, and comes back
      if (resource === "services" && type === "DELETED" && object.metadata.name === "kubernetes") lead()
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) told(error)
  })
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await working
      for (const one of opened) one[Symbol.dispose]()
      endApiService(objects)
    },
  }
}
