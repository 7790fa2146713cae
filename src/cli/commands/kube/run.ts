import { parseEnv } from "../../../spec/docker/environment.ts"
import { textAt } from "../../../kube/kube.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../kube/create-object.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { attachWhenRunning } from "../../kube/attach-session.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"
import { manifestDocument, mergeInto } from "../../../kube/kube.ts"

const START_MS = 60_000

export default kubeCommand({
  summary: "Create and run a particular image in a pod",
  args: [arg.one("NAME"), arg.rest("[-- [COMMAND] [args...]]")],
  flags: {
    ...CREATE_FLAGS,
    image: flag.string("The image for the container to run"),
    imagePullPolicy: flag.string("The image pull policy for the container"),
    env: flag.list((text) => parseEnv(text, {}), "Environment variables to set in the container", "strings"),
    labels: flag.list((text) => text.split(","), "Comma separated labels to apply to the pod", "strings", {
      short: "l",
    }),
    annotations: flag.strings("Annotations to apply to the pod", "strings"),
    port: flag.int("The port that this container exposes"),
    expose: flag.bool("If true, create a ClusterIP service associated with the pod. Requires --port"),
    restart: flag.choice(
      ["Always", "OnFailure", "Never"],
      "The restart policy for this Pod. Legal values [Always, OnFailure, Never]",
      { initial: "Always" },
    ),
    command: flag.bool("If true and extra arguments are present, use them as the 'command' field in the container"),
    attach: flag.bool("Wait for the pod to start running, and then attach to it: always, with -i"),
    rm: flag.bool("Delete the pod after it exits: for containers that are attached to"),
    quiet: flag.bool("If true, suppress prompt messages", { short: "q" }),
    podRunningTimeout: flag.duration("How long to wait until the pod runs (default 1m)"),
    stdin: flag.bool("Keep stdin open on the container in the pod, even if nothing is attached", { short: "i" }),
    tty: flag.bool("Allocate a TTY for the container in the pod", { short: "t" }),
    privileged: flag.bool("If true, run the container in privileged mode"),
    overrides: flag.string("An inline JSON override for the generated object"),
  },
  endsAsProgram: true,
  async run({ args: [name, words], flags, engine, out }) {
    const isJoined = (flags.attach || flags.stdin) && flags.dryRun === "none"
    if (flags.rm && !isJoined) throw new UsageError("--rm should only be used for attached containers")
    if (flags.image === undefined) throw new UsageError('required flag(s) "image" not set')
    const client = await openClient(engine, flags)
    const labels =
      flags.labels.length === 0 ? { run: name } : Object.fromEntries(flags.labels.flat().map((one) => pair(one)))
    const container = {
      name,
      image: flags.image,
      ...(words.length > 0 && (flags.command ? { command: words } : { args: words })),
      ...(flags.env.length > 0 && { env: flags.env.filter((one) => one !== undefined).map((one) => variable(one)) }),
      ...(flags.port !== undefined && { ports: [{ containerPort: flags.port }] }),
      ...(flags.imagePullPolicy !== undefined && { imagePullPolicy: flags.imagePullPolicy }),
      ...(flags.stdin && { stdin: true, stdinOnce: true }),
      ...(flags.tty && { tty: true }),
      ...(flags.privileged && { securityContext: { privileged: true } }),
      resources: {},
    }
    const annotations = Object.fromEntries(flags.annotations.map((one) => pair(one)))
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels, ...(flags.annotations.length > 0 && { annotations }) },
      spec: { containers: [container], restartPolicy: flags.restart },
    }
    const whole = flags.overrides === undefined ? pod : mergeInto(pod, manifestDocument(flags.overrides, "--overrides"))
    if (flags.expose && flags.port === undefined) throw new UsageError("--port must be set when exposing a service")
    const request = { ...flags, fieldManager: flags.fieldManager ?? "kubectl-run" }
    const made = isJoined
      ? await client.create(await client.kindNamed("pods"), whole, namespaceOf(client, flags), {
          fieldManager: request.fieldManager,
          fieldValidation: flags.validate,
        })
      : await createObject(client, out, whole, request)
    if (flags.expose) await expose(textAt(made, "metadata", "name"))
    if (!isJoined) return 0
    const { stdin, tty, podRunningTimeout: timeoutMs = START_MS } = flags
    const place = { namespace: textAt(made, "metadata", "namespace"), name: textAt(made, "metadata", "name") }
    try {
      return await attachWhenRunning(client, engine, out, { ...place, container: name, stdin, tty, timeoutMs })
    } finally {
      if (flags.rm) {
        await client.delete(await client.kindNamed("pods"), place.name, place.namespace)
        if (!flags.quiet) out.line(`pod "${place.name}" deleted from ${place.namespace} namespace`)
      }
    }
    async function expose(serviceName: string): Promise<void> {
      if (flags.output === "yaml") out.line("---")
      const spec = { selector: labels, ports: [{ port: flags.port, targetPort: flags.port, protocol: "TCP" }] }
      const service = { apiVersion: "v1", kind: "Service", metadata: { name: serviceName }, spec }
      await createObject(client, out, service, flags)
    }
  },
})

function pair(text: string): [string, string] {
  const equals = text.indexOf("=")
  if (equals < 1) throw new UsageError(`unexpected label spec: ${text}`)
  return [text.slice(0, equals), text.slice(equals + 1)]
}

function variable(text: string): object {
  const equals = text.indexOf("=")
  return { name: text.slice(0, equals), value: text.slice(equals + 1) }
}
