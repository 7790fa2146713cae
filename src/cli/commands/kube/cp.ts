import { resolve } from "node:path"
import { attachablePod, runningContainer, type KubeClient } from "../../../kube/kube.ts"
import type { Containers, CopyPlace } from "../../../container/container.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"

export default kubeCommand({
  summary: "Copy files and directories to and from containers",
  description: "Nothing has to be installed in the container: no tar is needed there.",
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
    if (!client.transport.isLocal)
      throw new UsageError("cp copies to and from pods of this machine alone", {
        hint: "elsewhere: skiff kube exec POD -- tar c PATH",
      })
    const containers = await engine.containers()
    const read = (text: string): Promise<CopyPlace> => placeOf(client, containers, text, flags)
    const [from, to] = [await read(source), await read(target)]
    if ("container" in from === "container" in to)
      throw new UsageError("one of src or dest must be a local file specification, and the other one a remote")
    await containers.copy(from, to, {})
  },
})

/** `web:/tmp/x`, `ns/web:/tmp/x`, `deploy/web:/x`; else a path here. */
async function placeOf(
  client: KubeClient,
  containers: Containers,
  text: string,
  flags: { namespace?: string | undefined; container?: string | undefined },
): Promise<CopyPlace> {
  const colon = text.indexOf(":")
  if (colon === -1 || /^[./~]/.test(text)) return { hostPath: resolve(text) }
  const [word, path] = [text.slice(0, colon), text.slice(colon + 1)]
  const [head = "", name] = word.split("/", 2)
  const pod = name === undefined ? head : name
  const found = await attachablePod(client, pod, name === undefined ? namespaceOf(client, flags) : head)
  return { container: runningContainer(containers, found, flags.container ?? "").id, path: path || "/" }
}
