import { attachablePod, containerNames, runningContainer, textAt } from "../../../kube/kube.ts"
import { Unsupported } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"
import { runExec } from "../../run-exec.ts"

export default kubeCommand({
  summary: "Execute a command in a container",
  args: [arg.one("POD|TYPE/NAME"), arg.one("COMMAND"), arg.rest("[ARG...]")],
  flags: {
    ...PLACE_FLAGS,
    container: flag.string(
      "Container name. If omitted, use the kubectl.kubernetes.io/default-container annotation or the first container",
      "string",
      {
        short: "c",
      },
    ),
    stdin: flag.bool("Pass stdin to the container", { short: "i" }),
    tty: flag.bool("Stdin is a TTY", { short: "t" }),
    quiet: flag.bool("Only print output from the remote session", { short: "q" }),
    podRunningTimeout: flag.duration("The length of time to wait until at least one pod is running"),
  },
  endsAsProgram: true,
  async run({ args: [word, program, words], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const pod = await attachablePod(client, word, namespaceOf(client, flags))
    const own = containerNames(pod)
    if (flags.container === undefined && own.length > 1 && !flags.quiet)
      out.note(`Defaulted container "${own[0]}" out of: ${containerNames(pod, true).join(", ")}`)
    const container = flags.container ?? own[0] ?? ""
    if (!client.transport.isLocal) {
      const { remoteSession } = await import("../../kube/remote-session.ts")
      return remoteSession(client, pod, { container, command: [program, ...words], stdin: flags.stdin, tty: flags.tty })
    }
    const containers = await engine.containers()
    const { id } = runningContainer(containers, pod, container)
    if (textAt(pod, "metadata", "name") === "") throw new Unsupported("the pod has no name")
    const request = { command: [program, ...words], tty: flags.tty && flags.stdin, stdin: flags.stdin }
    const code = await runExec(containers, id, request, {})
    if (code !== 0 && !flags.quiet) out.note(`command terminated with exit code ${code}`)
    return code
  },
})
