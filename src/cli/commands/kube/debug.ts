import { randomBytes } from "node:crypto"
import { attachablePod, textAt } from "../../../kube/kube.ts"
import { parseEnv } from "../../../spec/docker/environment.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { attachWhenRunning } from "../../kube/attach-session.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"

const LONGEST_WAIT_MS = 60_000

export default kubeCommand({
  summary: "Add a container to a running pod, to look into it",
  args: [arg.one("POD|TYPE/NAME"), arg.rest("[-- COMMAND [args...]]")],
  flags: {
    ...PLACE_FLAGS,
    image: flag.string("Container image to use for debug container"),
    container: flag.string("Container name to use for debug container", "string", { short: "c" }),
    imagePullPolicy: flag.string("The image pull policy for the container"),
    target: flag.string("When using an ephemeral container, target processes in this container name"),
    env: flag.list((text) => parseEnv(text, {}), "Environment variables to set in the container", "strings"),
    argumentsOnly: flag.bool("If specified, everything after -- will be passed as args instead of command"),
    stdin: flag.bool("Keep stdin open on the container(s) in the pod, even if nothing is attached", { short: "i" }),
    tty: flag.bool("Allocate a TTY for the debugging container", { short: "t" }),
    attach: flag.bool("Wait for the container to start running, and then attach: always, with -i"),
    quiet: flag.bool("Suppress informational messages", { short: "q" }),
  },
  endsAsProgram: true,
  async run({ args: [word, words], flags, engine, out }) {
    if (flags.image === undefined) throw new UsageError("you must specify --image when not using --copy-to.")
    const client = await openClient(engine, flags)
    const namespace = namespaceOf(client, flags)
    const pod = await attachablePod(client, word, namespace)
    const name = flags.container ?? `debugger-${randomBytes(4).toString("hex").slice(0, 5)}`
    if (flags.container === undefined && !flags.quiet) out.note(`Defaulting debug container name to ${name}.`)
    const container = {
      name,
      image: flags.image,
      ...(words.length > 0 && (flags.argumentsOnly ? { args: words } : { command: words })),
      ...(flags.imagePullPolicy !== undefined && { imagePullPolicy: flags.imagePullPolicy }),
      ...(flags.env.length > 0 && {
        env: flags.env.flatMap((one) =>
          one === undefined ? [] : { name: one.slice(0, one.indexOf("=")), value: one.slice(one.indexOf("=") + 1) },
        ),
      }),
      ...(flags.target !== undefined && { targetContainerName: flags.target }),
      stdin: flags.stdin,
      tty: flags.tty,
    }
    const kind = await client.kindNamed("pods")
    const body = { spec: { ephemeralContainers: [container] } }
    const podName = textAt(pod, "metadata", "name")
    await client.patch(kind, podName, namespace, { type: "strategic", body, part: "ephemeralcontainers" })
    if (!flags.attach && !flags.stdin) return 0
    return attachWhenRunning(client, engine, out, {
      namespace: textAt(pod, "metadata", "namespace"),
      name: podName,
      container: name,
      stdin: flags.stdin,
      tty: flags.tty,
      timeoutMs: LONGEST_WAIT_MS,
    })
  },
})
