import { rolloutState, textAt, type ResourceKind, type Tree, type KubeClient } from "../../../../kube/kube.ts"
import { Unavailable } from "../../../../base/errors.ts"
import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { chosenObjects } from "../../../kube/changed-objects.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { FILE_FLAGS, PLACE_FLAGS, SELECT_FLAGS } from "../../../kube/kube-flags.ts"
import { openClient } from "../../../kube/open-client.ts"
import type { Out } from "../../../out.ts"

const POLL_MS = 200

export default kubeCommand({
  summary: "Show the status of the rollout",
  args: [arg.rest("(TYPE NAME | TYPE/NAME)")],
  flags: {
    ...PLACE_FLAGS,
    ...FILE_FLAGS,
    selector: SELECT_FLAGS.selector,
    revision: flag.int("Pin to a specific revision for showing its status. Defaults to 0 (last revision)"),
    timeout: flag.duration("The length of time to wait before ending watch, zero means never"),
    watch: flag.bool("Watch the status of the rollout until it's done", { short: "w", initial: true }),
  },
  async run({ args: [words], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const end = flags.timeout === undefined || flags.timeout === 0 ? Infinity : Date.now() + flags.timeout
    for (const { kind, object } of await chosenObjects(client, words, flags))
      await follow(client, out, { kind, object, revision: flags.revision ?? 0, watch: flags.watch, end })
  },
})

interface Followed {
  kind: ResourceKind
  object: Tree
  revision: number
  watch: boolean
  end: number
}

async function follow(client: KubeClient, out: Out, { kind, object, revision, watch, end }: Followed): Promise<void> {
  let last = ""
  for (let current = object; ;) {
    const { text, isDone } = rolloutState(current, revision)
    if (text !== last) out.line(text)
    last = text
    if (isDone || !watch) return
    if (Date.now() > end) throw new Unavailable("timed out waiting for the condition")
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    current = await client.get(
      kind,
      textAt(object, "metadata", "name"),
      textAt(object, "metadata", "namespace") || undefined,
    )
  }
}
