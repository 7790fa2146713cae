import { randomBytes } from "node:crypto"
import { textAt, type KubeClient, type Tree } from "../kube/kube.ts"
import type { GitopsEvent } from "./gitops-options.ts"

/** What an event is about. */
export interface EventSubject {
  object: Tree
  /** Where the event is kept. */
  namespace: string
}

const MAX_MESSAGE = 1024

/** Keeps an event beside the objects, for `get events`. That it cannot be kept stops nothing. */
export async function recordEvent(
  client: KubeClient,
  event: GitopsEvent,
  { object, namespace }: EventSubject,
): Promise<void> {
  const name = textAt(object, "metadata", "name")
  const involved = {
    apiVersion: textAt(object, "apiVersion"),
    kind: textAt(object, "kind"),
    name,
    ...(textAt(object, "kind") !== "Namespace" && { namespace }),
  }
  const time = event.time.replace(/\.\d+Z$/, "Z")
  const body: Tree = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${name.slice(0, 200)}.${randomBytes(8).toString("hex")}`, namespace },
    involvedObject: involved,
    reason: event.reason,
    message: `${event.commit === undefined ? "" : `${event.commit.slice(0, 8)}: `}${event.message}`.slice(
      0,
      MAX_MESSAGE,
    ),
    type: event.type,
    count: 1,
    firstTimestamp: time,
    lastTimestamp: time,
    source: { component: "skiff-gitops" },
    reportingComponent: "skiff-gitops",
    reportingInstance: "skiff-gitops",
  }
  try {
    await client.create(await client.kindOf(body), body, namespace)
  } catch {
    // the object counts, not the word of it
  }
}
