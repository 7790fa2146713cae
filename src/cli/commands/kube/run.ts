import { parseEnv } from "../../../spec/docker/environment.ts"
import { textAt } from "../../../kube/kube.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../kube/create-object.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { openClient } from "../../kube/open-client.ts"
import { manifestDocument, mergeInto } from "../../../kube/kube.ts"

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
    stdin: flag.bool("Keep stdin open on the container in the pod, even if nothing is attached", { short: "i" }),
    tty: flag.bool("Allocate a TTY for the container in the pod", { short: "t" }),
    privileged: flag.bool("If true, run the container in privileged mode"),
    overrides: flag.string("An inline JSON override for the generated object"),
  },
  async run({ args: [name, words], flags, engine, out }) {
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
    const made = await createObject(client, out, whole, { ...flags, fieldManager: flags.fieldManager ?? "kubectl-run" })
    if (!flags.expose) return
    if (flags.port === undefined) throw new UsageError("--port must be set when exposing a service")
    const spec = { selector: labels, ports: [{ port: flags.port, targetPort: flags.port, protocol: "TCP" }] }
    await createObject(
      client,
      out,
      { apiVersion: "v1", kind: "Service", metadata: { name: textAt(made, "metadata", "name") }, spec },
      flags,
    )
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
