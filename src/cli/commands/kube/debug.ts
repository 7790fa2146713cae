import { attachablePod, textAt } from "../../../kube/kube.ts"
import { parseEnv } from "../../../spec/docker/environment.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { attachWhenRunning } from "../../kube/attach-session.ts"
import { debugCopy, debuggerName } from "../../kube/debug-copy.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"

const LONGEST_WAIT_MS = 60_000

export default kubeCommand({
  summary: "Look into a pod: by a container that is added to it, or in a copy of it",
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
    copyTo: flag.string("Create a copy of the target Pod with this name"),
    replace: flag.bool("When used with '--copy-to', delete the original Pod"),
    sameNode: flag.bool("When used with '--copy-to', schedule the copy of target Pod on the same node"),
    setImage: flag.list(
      readImageChange,
      "When used with '--copy-to', a list of name=image pairs for changing container images",
      "strings",
    ),
    shareProcesses: flag.bool("When used with '--copy-to', enable process namespace sharing in the copy", {
      initial: true,
    }),
    keepLabels: flag.bool("If true, keep the original pod labels"),
    keepAnnotations: flag.bool("If true, keep the original pod annotations"),
    keepLiveness: flag.bool("If true, keep the original pod liveness probes"),
    keepReadiness: flag.bool("If true, keep the original pod readiness probes"),
    keepStartup: flag.bool("If true, keep the original startup probes"),
    keepInitContainers: flag.bool("Run the init containers for the pod", { initial: true }),
  },
  endsAsProgram: true,
  async run({ args: [word, words], flags, engine, out }) {
    const images = Object.assign({}, ...flags.setImage) as Readonly<Record<string, string>>
    checkChoice(flags, images)
    const client = await openClient(engine, flags)
    const namespace = namespaceOf(client, flags)
    const pod = await attachablePod(client, word, namespace)
    if (flags.copyTo !== undefined) {
      const request = { ...flags, name: flags.copyTo, images, words, keepLabels: flags.keepLabels }
      const { pod: copy, container } = debugCopy(pod, {
        ...request,
        env: readEnv(flags.env),
        container: flags.container,
      })
      if (flags.image !== undefined && flags.container === undefined && !flags.quiet)
        out.note(`Defaulting debug container name to ${container}.`)
      const pods = await client.kindNamed("pods")
      const place = textAt(pod, "metadata", "namespace")
      await client.create(pods, copy, place, { fieldManager: "kubectl-debug" })
      if (flags.replace) await client.delete(pods, textAt(pod, "metadata", "name"), place)
      if (!flags.attach && !flags.stdin) return 0
      const joined = { namespace: place, name: flags.copyTo, container, stdin: flags.stdin, tty: flags.tty }
      return attachWhenRunning(client, engine, out, { ...joined, timeoutMs: LONGEST_WAIT_MS })
    }
    const name = flags.container ?? debuggerName()
    if (flags.container === undefined && !flags.quiet) out.note(`Defaulting debug container name to ${name}.`)
    const container = {
      name,
      image: flags.image,
      ...(words.length > 0 && (flags.argumentsOnly ? { args: words } : { command: words })),
      ...(flags.imagePullPolicy !== undefined && { imagePullPolicy: flags.imagePullPolicy }),
      ...(flags.env.length > 0 && { env: readEnv(flags.env) }),
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

/** `app=busybox:1`; `*=busybox:1` of all. */
function readImageChange(text: string): Record<string, string> {
  const [name = "", image = "", ...more] = text.split("=")
  if (name === "" || image === "" || more.length > 0)
    throw new UsageError(`invalid image "${text}": expected CONTAINER=IMAGE`)
  return { [name]: image }
}

function readEnv(variables: readonly (string | undefined)[]): { name: string; value: string }[] {
  return variables.flatMap((one) =>
    one === undefined ? [] : { name: one.slice(0, one.indexOf("=")), value: one.slice(one.indexOf("=") + 1) },
  )
}

/** What goes together, in kubectl's words. */
function checkChoice(
  flags: { copyTo?: string | undefined; image?: string | undefined; target?: string | undefined; replace: boolean },
  images: Readonly<Record<string, string>>,
): void {
  const isChanged = Object.keys(images).length > 0
  if (flags.copyTo === undefined) {
    if (isChanged) throw new UsageError("--set-image may only be used with --copy-to.")
    if (flags.replace) throw new UsageError("--replace may only be used with --copy-to.")
    if (flags.image === undefined) throw new UsageError("you must specify --image when not using --copy-to.")
    return
  }
  if (flags.target !== undefined)
    throw new UsageError("--target is incompatible with --copy-to. Use --share-processes instead.")
  if (isChanged && flags.image !== undefined) throw new UsageError("--set-image and --image are incompatible.")
}
