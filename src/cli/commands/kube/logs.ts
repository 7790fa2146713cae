import {
  containerNames,
  podsOf,
  resourcePath,
  textAt,
  textsAt,
  type KubeClient,
  type Tree,
} from "../../../kube/kube.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS, SELECT_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"
import { writeOutput } from "../../terminal/standard-output.ts"

const DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"

export default kubeCommand({
  summary: "Print the logs for a container in a pod or specified resource",
  args: [arg.optional("POD|TYPE/NAME"), arg.optional("CONTAINER")],
  flags: {
    ...PLACE_FLAGS,
    selector: SELECT_FLAGS.selector,
    allContainers: flag.bool("Get all containers' logs in the pod(s)"),
    allPods: flag.bool("Get logs from all pod(s). Sets prefix to true"),
    container: flag.string("Print the logs of this container", "string", { short: "c" }),
    follow: flag.bool("Specify if the logs should be streamed", { short: "f" }),
    ignoreErrors: flag.bool("If watching / following pod logs, allow for any errors that occur to be non-fatal"),
    limitBytes: flag.int("Maximum bytes of logs to return. Defaults to no limit"),
    maxLogRequests: flag.int("Specify maximum number of concurrent logs to follow when using by a selector"),
    podRunningTimeout: flag.duration("The length of time to wait until at least one pod is running"),
    prefix: flag.bool("Prefix each log line with the log source (pod name and container name)"),
    previous: flag.bool("If true, print the logs for the previous instance of the container in a pod if it exists", {
      short: "p",
    }),
    since: flag.duration("Only return logs newer than a relative duration like 5s, 2m, or 3h. Defaults to all logs"),
    sinceTime: flag.string("Only return logs after a specific date (RFC3339). Defaults to all logs"),
    tail: flag.int(
      "Lines of recent log file to display. Defaults to -1 with no selector, showing all log lines otherwise 10",
    ),
    timestamps: flag.bool("Include timestamps on each line in the log output"),
  },
  async run({ args: [word, positional], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const namespace = namespaceOf(client, flags)
    if (word === undefined && flags.selector === undefined)
      throw new UsageError("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.", {
        hint: "POD or TYPE/NAME is a required argument for the logs command",
      })
    const asked = flags.container ?? positional
    const pods =
      word === undefined ? await selectedPods(client, namespace, flags.selector) : await podsOf(client, word, namespace)
    const chosen = flags.allPods || word === undefined ? pods : pods.slice(0, 1)
    if (chosen.length < pods.length)
      out.note(`Found ${pods.length} pods, using pod/${textAt(chosen[0], "metadata", "name")}`)
    if (chosen.length === 0) out.note(`No resources found in ${namespace} namespace.`)
    using interrupt = new AbortOnInterrupt()
    const tail = flags.tail ?? (flags.selector === undefined ? undefined : 10)
    const query = new URLSearchParams({
      ...(flags.follow && { follow: "true" }),
      ...(flags.previous && { previous: "true" }),
      ...(flags.timestamps && { timestamps: "true" }),
      ...(tail !== undefined && tail >= 0 && { tailLines: `${tail}` }),
      ...(flags.since !== undefined && { sinceSeconds: `${Math.ceil(flags.since / 1000)}` }),
      ...(flags.sinceTime !== undefined && { sinceTime: flags.sinceTime }),
      ...(flags.limitBytes !== undefined && { limitBytes: `${flags.limitBytes}` }),
    })
    const sources = chosen.flatMap((pod) =>
      containersOf(pod, asked, flags.allContainers, (text) => out.note(text)).map((container) => ({ pod, container })),
    )
    const withPrefix = flags.prefix || flags.allPods
    const print = async ({ pod, container }: { pod: Tree; container: string }): Promise<void> => {
      const name = textAt(pod, "metadata", "name")
      const head = withPrefix ? `[pod/${name}/${container}] ` : ""
      const own = new URLSearchParams(query)
      if (container !== "") own.set("container", container)
      const path = resourcePath(await client.kindNamed("pods"), textAt(pod, "metadata", "namespace"), name, "log")
      for await (const chunk of client.text({ method: "GET", path, query: own, signal: interrupt.signal }))
        await writeOutput(1, head === "" ? chunk : prefixed(chunk, head))
    }
    if (flags.follow) await Promise.all(sources.map(print))
    else for (const source of sources) await print(source)
  },
})

async function selectedPods(
  client: KubeClient,
  namespace: string | undefined,
  labelSelector: string | undefined,
): Promise<Tree[]> {
  return (await client.list(await client.kindNamed("pods"), { namespace, labelSelector })).items
}

function containersOf(pod: Tree, asked: string | undefined, all: boolean, note: (text: string) => void): string[] {
  if (asked !== undefined) return [asked]
  if (all) return containerNames(pod, true)
  const own = containerNames(pod)
  const [first = ""] = own
  const usual = textsAt(pod, "metadata", "annotations")[DEFAULT_CONTAINER] ?? first
  const every = containerNames(pod, true)
  if (every.length > 1)
    note(`Defaulted container "${usual}" out of: ${[...own, ...every.filter((one) => !own.includes(one))].join(", ")}`)
  return [usual]
}

function prefixed(chunk: Uint8Array, head: string): Uint8Array {
  const text = Buffer.from(chunk).toString()
  const lines = text.endsWith("\n") ? text.slice(0, -1).split("\n") : text.split("\n")
  return Buffer.from(lines.map((line) => `${head}${line}\n`).join(""))
}
