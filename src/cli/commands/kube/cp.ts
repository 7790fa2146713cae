import { resolve } from "node:path"
import { attachablePod, meantContainer, runningContainer, type KubeClient } from "../../../kube/kube.ts"
import type { Containers, CopyPlace } from "../../../container/container.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"

export default kubeCommand({
  summary: "Copy files and directories to and from containers",
  description:
    "Nothing has to be installed in a container of this machine; in one of another cluster, tar must be there, as kubectl needs it.",
  args: [arg.one("SOURCE"), arg.one("DESTINATION")],
  flags: {
    ...PLACE_FLAGS,
    container: flag.string("Container name. If omitted, use the default container", "string", { short: "c" }),
    noPreserve: flag.bool(
      "The copied file/directory's ownership and permissions will not be preserved in the container",
    ),
    retries: flag.int("Set number of retries to complete a copy operation from a container: none is needed here"),
  },
  async run({ args: [source, target], flags, engine }) {
    const client = await openClient(engine, flags)
    if (!client.transport.isLocal) return copyRemote(client, source, target, flags)
    const containers = await engine.containers()
    const read = (text: string): Promise<CopyPlace> => placeOf(client, containers, text, flags)
    const [from, to] = [await read(source), await read(target)]
    if ("container" in from === "container" in to)
      throw new UsageError("one of src or dest must be a local file specification, and the other one a remote")
    await containers.copy(from, to, {})
  },
})

interface PlaceFlags {
  namespace?: string | undefined
  container?: string | undefined
  noPreserve: boolean
}

/** One end is here, the other one in another cluster. */
async function copyRemote(client: KubeClient, source: string, target: string, flags: PlaceFlags): Promise<void> {
  const { copyFromPod, copyToPod } = await import("../../kube/remote-copy.ts")
  const [from, to] = [inPod(source), inPod(target)]
  if ((from === undefined) === (to === undefined))
    throw new UsageError("one of src or dest must be a local file specification, and the other one a remote")
  const { namespace, pod: word, path } = from ?? to ?? { pod: "", path: "" }
  const pod = await attachablePod(client, word, namespace ?? namespaceOf(client, flags))
  const place = { client, pod, container: meantContainer(pod, flags.container ?? ""), path: path || "/" }
  if (from !== undefined) await copyFromPod(place, resolve(target))
  else await copyToPod(resolve(source), place, { keepsOwners: !flags.noPreserve })
}

/** `web:/tmp/x`, `ns/web:/tmp/x`; undefined: a path here. */
function inPod(text: string): { namespace?: string; pod: string; path: string } | undefined {
  const colon = text.indexOf(":")
  if (colon === -1 || /^[./~]/.test(text)) return undefined
  const [word, path] = [text.slice(0, colon), text.slice(colon + 1)]
  const [head = "", name] = word.split("/", 2)
  return name === undefined ? { pod: head, path } : { namespace: head, pod: name, path }
}

/** As above, in a container of this machine. */
async function placeOf(
  client: KubeClient,
  containers: Containers,
  text: string,
  flags: { namespace?: string | undefined; container?: string | undefined },
): Promise<CopyPlace> {
  const named = inPod(text)
  if (named === undefined) return { hostPath: resolve(text) }
  const { namespace, pod, path } = named
  const found = await attachablePod(client, pod, namespace ?? namespaceOf(client, flags))
  return { container: runningContainer(containers, found, flags.container ?? "").id, path: path || "/" }
}
