import { InvalidArgument, NotFound } from "../../base/errors.ts"
import { selectorText } from "../api/selectors.ts"
import { at, listAt, textAt, textsAt, type Tree } from "../field.ts"
import type { KubeClient } from "./kube-client.ts"
import { readResourceArgs } from "./resource-args.ts"

/** Pods of `pod/web`, `web`, `deploy/web`, `svc/web`, `job/x`, the readiest first. Throws NotFound where there is none. */
export async function podsOf(client: KubeClient, word: string, namespace: string | undefined): Promise<Tree[]> {
  const pods = await client.kindNamed("pods")
  if (!word.includes("/")) return [await client.get(pods, word, namespace)]
  const [named] = await readResourceArgs(client, [word])
  const name = named?.name
  if (named === undefined || name === undefined) throw new InvalidArgument(`"${word}" names no object`)
  const object = await client.get(named.kind, name, namespace)
  if (named.kind.plural === "pods" && named.kind.group === "") return [object]
  const labelSelector = podSelector(object)
  if (labelSelector === "")
    throw new InvalidArgument(`cannot attach to *${named.kind.kind}: selector for ${word} is not there`)
  const { items } = await client.list(pods, { namespace, labelSelector })
  if (items.length === 0)
    throw new NotFound(`no pods were found for ${word}`, {
      hint: "see what it lacks by describing it",
      data: { reason: undefined },
    })
  return items.toSorted((a, b) => rank(b) - rank(a))
}

/** The one that is best joined. */
export async function attachablePod(client: KubeClient, word: string, namespace: string | undefined): Promise<Tree> {
  const [best] = await podsOf(client, word, namespace)
  if (best === undefined) throw new NotFound(`no pods were found for ${word}`)
  return best
}

/** A query of labels that selects an object's pods; empty where it has none. */
export function podSelector(object: Tree): string {
  const selector = at(object, "spec", "selector")
  if (textAt(object, "kind") === "Service" || textAt(object, "kind") === "ReplicationController")
    return Object.entries(textsAt(object, "spec", "selector"))
      .map(([key, value]) => `${key}=${value}`)
      .join(",")
  const text = selectorText(selector)
  return text === "<none>" ? "" : text
}

function rank(pod: Tree): number {
  const isReady = listAt(pod, "status", "conditions").some(
    (one) => textAt(one, "type") === "Ready" && textAt(one, "status") === "True",
  )
  const isEnding = textAt(pod, "metadata", "deletionTimestamp") !== ""
  return (isEnding ? 0 : 4) + (textAt(pod, "status", "phase") === "Running" ? 2 : 0) + (isReady ? 1 : 0)
}
