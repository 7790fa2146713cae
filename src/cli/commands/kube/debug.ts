import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { FailedPrecondition } from "../../../base/errors.ts"
import { attachablePod, listAt, runningContainer, textAt, at, type KubeClient, type Tree } from "../../../kube/kube.ts"
import { parseEnv } from "../../../spec/docker/environment.ts"
import { arg } from "../../args.ts"
import { attachTo } from "../../attach-to.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"

const LONGEST_WAIT_MS = 60_000
const LOOK_EVERY_MS = 100

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
    attach: flag.bool("Wait for the container to start running, and then attach. Default: as -i says"),
    quiet: flag.bool("Suppress informational messages", { short: "q" }),
  },
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
    if (!(flags.attach ?? flags.stdin)) return
    const running = await untilRunning(client, { podName, namespace, name })
    if (running === undefined) return
    if (!client.transport.isLocal) {
      const { remoteAttach } = await import("../../kube/remote-session.ts")
      return remoteAttach(client, running, { container: name, stdin: flags.stdin, tty: flags.tty })
    }
    const containers = await engine.containers()
    const { id } = runningContainer(containers, running, name)
    return attachTo(containers, id, { noStdin: !flags.stdin, sigProxy: false, detachKeys: undefined })
  },
})

/** The pod by then. Undefined: it has ended already. Throws FailedPrecondition when it does not come to run. */
async function untilRunning(
  client: KubeClient,
  { podName, namespace, name }: { podName: string; namespace: string | undefined; name: string },
): Promise<Tree | undefined> {
  const kind = await client.kindNamed("pods")
  for (const until = Date.now() + LONGEST_WAIT_MS; ; await sleep(LOOK_EVERY_MS)) {
    const pod = await client.get(kind, podName, namespace)
    const status = listAt(pod, "status", "ephemeralContainerStatuses").find((one) => textAt(one, "name") === name)
    if (at(status, "state", "running") !== undefined) return pod
    if (at(status, "state", "terminated") !== undefined) return undefined
    const reason = textAt(status, "state", "waiting", "reason")
    if (Date.now() > until || /^(ErrImage|ImagePull|CreateContainer)/.test(reason))
      throw new FailedPrecondition(
        `container "${name}" of pod "${podName}" does not run${reason === "" ? "" : `: ${reason}: ${textAt(status, "state", "waiting", "message")}`}`,
      )
  }
}
