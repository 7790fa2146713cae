import { attachablePod, runningContainer } from "../../../kube/kube.ts"
import { attachTo } from "../../attach-to.ts"
import { arg } from "../../args.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"

export default kubeCommand({
  summary: "Attach to a process that is already running inside an existing container",
  args: [arg.one("POD|TYPE/NAME")],
  flags: {
    ...PLACE_FLAGS,
    container: flag.string("Container name. If omitted, use the default container", "string", { short: "c" }),
    stdin: flag.bool("Pass stdin to the container", { short: "i" }),
    tty: flag.bool("Stdin is a TTY", { short: "t" }),
    quiet: flag.bool("Only print output from the remote session", { short: "q" }),
    podRunningTimeout: flag.duration("The length of time to wait until at least one pod is running"),
  },
  async run({ args: [word], flags, engine }) {
    const client = await openClient(engine, flags)
    const pod = await attachablePod(client, word, namespaceOf(client, flags))
    if (!client.transport.isLocal) {
      const { remoteSession } = await import("../../kube/remote-session.ts")
      return remoteSession(client, pod, { container: flags.container ?? "", stdin: flags.stdin, tty: flags.tty })
    }
    const containers = await engine.containers()
    const { id } = runningContainer(containers, pod, flags.container ?? "")
    return attachTo(containers, id, { noStdin: !flags.stdin, sigProxy: false, detachKeys: undefined })
  },
})
