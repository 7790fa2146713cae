import { isSkiffError } from "../../base/errors.ts"
import type { Cancellable } from "../../base/cancel.ts"
import type { PlayDeps } from "./play.ts"
import type { DownReport, KubeFile } from "./play-options.ts"
import { readPlay, type PlayObjects } from "./read-play.ts"

/**
 * Takes away the pods and secrets that files name, and with `force` the volumes of their claims. What is not there is passed over; what
 * fails of some is told after the others were tried.
 */
export async function downFiles(
  deps: Pick<PlayDeps, "pods" | "secrets" | "volumes">,
  files: readonly KubeFile[],
  { force = false, signal }: Cancellable & { force?: boolean } = {},
): Promise<DownReport> {
  const objects = readPlay(files)
  const pods = objects.pods.map(({ pod }) => pod.metadata?.name ?? "").filter(Boolean)
  const secrets = objects.secrets.map(({ secret }) => secret.metadata?.name ?? "").filter(Boolean)
  const failures: unknown[] = []
  const each = async (
    names: readonly string[],
    act: (name: string) => Promise<string | undefined>,
  ): Promise<string[]> => {
    const done: string[] = []
    for (const name of names)
      try {
        const result = await act(name)
        if (result !== undefined) done.push(result)
      } catch (error) {
        if (isSkiffError(error, "Cancelled")) throw error
        if (!isSkiffError(error, "NotFound")) failures.push(error)
      }
    return done
  }
  const how = signal === undefined ? {} : { signal }
  const known = await each(pods, (name) => Promise.resolve(deps.pods.idOf(name)))
  const stopped = await each(known, async (id) => {
    await deps.pods.stop(id, how)
    return id
  })
  const removed = await each(known, (id) => deps.pods.remove(id, { ...how, force: true }))
  const store = secrets.length === 0 ? undefined : await deps.secrets()
  const forgotten = await each(secrets, (name) => Promise.resolve(store?.remove(name).id))
  const volumes = force ? await each(volumesOf(objects), (name) => removeVolume(deps, name)) : []
  return { stopped, removed, secrets: forgotten, volumes, failures }
}

async function removeVolume({ volumes }: Pick<PlayDeps, "volumes">, name: string): Promise<string> {
  await volumes.remove(name)
  return name
}

/** Those of claims, also of claims that a pod names alone. */
function volumesOf({ pods, claims }: PlayObjects): string[] {
  const mounted = pods.flatMap(({ pod }) =>
    (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []),
  )
  return [...new Set([...claims.map(({ claim }) => claim.metadata?.name ?? ""), ...mounted])].filter(Boolean)
}
