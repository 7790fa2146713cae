import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { openClient } from "../../../kube/open-client.ts"

export default kubeCommand({
  summary: "Create a deployment with the specified name",
  args: [arg.one("NAME"), arg.rest("[-- COMMAND [args...]]")],
  flags: {
    ...CREATE_FLAGS,
    image: flag.strings(
      "Image names to run. A deployment can have multiple images set for multiple containers",
      "strings",
    ),
    port: flag.int("The containerPort that this deployment exposes"),
    replicas: flag.int("Number of replicas to create. Default is 1", { short: "r" }),
  },
  async run({ args: [name, command], flags, engine, out }) {
    const labels = { app: name }
    const containers = flags.image.map((image) => ({
      name: containerName(image),
      image,
      ...(command.length > 0 && { command }),
      ...(flags.port !== undefined && { ports: [{ containerPort: flags.port }] }),
    }))
    await createObject(
      await openClient(engine, flags),
      out,
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name, labels },
        spec: {
          replicas: flags.replicas ?? 1,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers } },
        },
      },
      flags,
    )
  },
})

/** `registry:5000/team/web:1.2@sha256:…` → `web`. */
function containerName(image: string): string {
  const [last = ""] = (image.split("/").at(-1) ?? "").split(/[:@]/)
  return last.toLowerCase().replaceAll(/[^a-z0-9-]/g, "-")
}
