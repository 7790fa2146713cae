import { at, isTree, listAt, resourcePath, textAt, type KubeClient, type Tree } from "../../../kube/kube.ts"
import { FailedPrecondition, isSkiffError, Unavailable } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { flag } from "../../flag.ts"
import { chosenObjects } from "../../kube/changed-objects.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { DRY_RUN, dryRunSuffix, PLACE_FLAGS, SELECT_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import type { Out } from "../../out.ts"

const RETRY_MS = 5_000
const POLL_MS = 500

export default kubeCommand({
  summary: "Drain node in preparation for maintenance",
  args: [arg.rest("NODE")],
  flags: {
    ...PLACE_FLAGS,
    ...DRY_RUN,
    selector: SELECT_FLAGS.selector,
    podSelector: flag.string("Label selector to filter pods on the node"),
    ignoreDaemonsets: flag.bool("Ignore DaemonSet-managed pods"),
    deleteEmptydirData: flag.bool("Continue even if there are pods using emptyDir (it goes with the pod)"),
    force: flag.bool("Continue even if there are pods that do not declare a controller"),
    gracePeriod: flag.int(
      "Period of time in seconds given to each pod to terminate gracefully. Default: the pod's own",
    ),
    timeout: flag.duration("The length of time to wait before giving up, zero means infinite"),
  },
  async run({ args: [words], flags, engine, out }) {
    using interrupt = new AbortOnInterrupt()
    const client = await openClient(engine, flags)
    const request = { ...flags, filename: [], recursive: false }
    const isDry = flags.dryRun !== "none"
    const suffix = dryRunSuffix(flags.dryRun)
    for (const { kind, object } of await chosenObjects(client, ["nodes", ...words], request)) {
      const node = textAt(object, "metadata", "name")
      const isClosed = at(object, "spec", "unschedulable") === true
      if (!isClosed && !isDry)
        await client.patch(kind, node, undefined, { type: "merge", body: { spec: { unschedulable: true } } })
      out.line(`node/${node} ${isClosed ? "already cordoned" : "cordoned"}${suffix}`)
      const pods = await evictable(client, out, node, flags)
      const end = flags.timeout === undefined || flags.timeout === 0 ? Infinity : Date.now() + flags.timeout
      for (const pod of pods) {
        out.line(`evicting pod ${placeOf(pod)}${suffix}`)
        if (!isDry) await evict(client, out, pod, { grace: flags.gracePeriod, end, signal: interrupt.signal })
      }
      if (!isDry) for (const pod of pods) await gone(client, out, pod, end, interrupt.signal)
      out.line(`node/${node} drained${suffix}`)
    }
  },
})

interface DrainFlags {
  podSelector?: string | undefined
  ignoreDaemonsets: boolean
  deleteEmptydirData: boolean
  force: boolean
}

/** The pods that go. Throws FailedPrecondition for those that nobody would make again, and what they hold. */
async function evictable(client: KubeClient, out: Out, node: string, flags: DrainFlags): Promise<Tree[]> {
  const { items } = await client.list(await client.kindNamed("pods"), {
    fieldSelector: `spec.nodeName=${node}`,
    labelSelector: flags.podSelector,
  })
  const [faults, warnings, pods]: [string[], string[], Tree[]] = [[], [], []]
  const living = items.filter((pod) => !["Succeeded", "Failed"].includes(textAt(pod, "status", "phase")))
  const ofDaemons = living.filter((pod) => ownerOf(pod) === "DaemonSet")
  const alone = living.filter((pod) => ownerOf(pod) === "")
  const withData = living.filter(
    (pod) =>
      ownerOf(pod) !== "DaemonSet" &&
      listAt(pod, "spec", "volumes").some((volume) => isTree(volume) && volume["emptyDir"] !== undefined),
  )
  if (ofDaemons.length > 0 && !flags.ignoreDaemonsets)
    faults.push(`cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): ${names(ofDaemons)}`)
  else if (ofDaemons.length > 0) warnings.push(`ignoring DaemonSet-managed Pods: ${names(ofDaemons)}`)
  if (withData.length > 0 && !flags.deleteEmptydirData)
    faults.push(`cannot delete Pods with local storage (use --delete-emptydir-data to override): ${names(withData)}`)
  if (alone.length > 0 && !flags.force)
    faults.push(`cannot delete Pods that declare no controller (use --force to override): ${names(alone)}`)
  else if (alone.length > 0) warnings.unshift(`deleting Pods that declare no controller: ${names(alone)}`)
  if (faults.length > 0) throw new FailedPrecondition(`unable to drain node "${node}": ${faults.join("; ")}`)
  if (warnings.length > 0) out.note(`Warning: ${warnings.join("; ")}`)
  for (const pod of items) if (ownerOf(pod) !== "DaemonSet") pods.push(pod)
  return pods
}

function names(pods: readonly Tree[]): string {
  return pods.map(placeOf).join(", ")
}

function ownerOf(pod: Tree): string {
  const owner = listAt(pod, "metadata", "ownerReferences").find((one) => at(one, "controller") === true)
  return textAt(owner, "kind")
}

function placeOf(pod: Tree): string {
  return `${textAt(pod, "metadata", "namespace")}/${textAt(pod, "metadata", "name")}`
}

/** By the API, which asks disruption budgets; what they forbid is asked again. */
async function evict(
  client: KubeClient,
  out: Out,
  pod: Tree,
  { grace, end, signal }: { grace: number | undefined; end: number; signal: AbortSignal },
): Promise<void> {
  const [name, namespace] = [textAt(pod, "metadata", "name"), textAt(pod, "metadata", "namespace")]
  const path = resourcePath(await client.kindNamed("pods"), namespace, name, "eviction")
  const deleteOptions = grace === undefined ? {} : { deleteOptions: { gracePeriodSeconds: grace } }
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace }, ...deleteOptions }
  for (;;)
    try {
      await client.call({ method: "POST", path, body })
      return
    } catch (error) {
      if (isSkiffError(error, "NotFound")) return
      if (!isSkiffError(error) || error.data["reason"] !== "TooManyRequests") throw error
      if (Date.now() > end || signal.aborted)
        throw new Unavailable(`pod ${placeOf(pod)} is not evicted: ${error.message}`)
      out.note(`error when evicting pods/"${name}" -n "${namespace}" (will retry after 5s): ${error.message}`)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
}

async function gone(client: KubeClient, out: Out, pod: Tree, end: number, signal: AbortSignal): Promise<void> {
  const [name, namespace] = [textAt(pod, "metadata", "name"), textAt(pod, "metadata", "namespace")]
  const kind = await client.kindNamed("pods")
  for (;;) {
    const found = await client.find(kind, name, namespace)
    if (found === undefined || textAt(found, "metadata", "uid") !== textAt(pod, "metadata", "uid")) break
    if (Date.now() > end || signal.aborted) throw new Unavailable(`pod ${placeOf(pod)} has not ended`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  out.line(`pod/${name} evicted`)
}
