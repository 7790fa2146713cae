import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import type { Project } from "../../compose/compose.ts"
import type { Engine } from "../../engine/engine.ts"
import { writeYaml } from "../../spec/write-yaml.ts"
import type { FlagValues } from "../flag.ts"
import type { Out } from "../out.ts"
import { convertOptions, fileNameOf, type KUBE_FLAGS } from "./kube-flags.ts"

/** Writes a project's objects: into files of `directory`, else all as one text. Tells each key that is lost; 1 where that is a failure. */
export async function convertToKubernetes(
  { engine, out, project }: { engine: Engine; out: Out; project: Project },
  flags: FlagValues<typeof KUBE_FLAGS>,
  directory: string | undefined,
): Promise<number> {
  const { objects, losses } = await (await engine.kube()).fromCompose(project, convertOptions(flags))
  for (const { path, reason } of losses) out.note(`${path} is lost: ${reason}`)
  if (flags.strict && losses.length > 0) return 1
  if (directory === undefined) {
    out.text(objects.map(writeYaml).join("---\n"))
    return 0
  }
  mkdirSync(directory, { recursive: true })
  const names = objects.map(fileNameOf)
  // Secrets are among them
  for (const [index, object] of objects.entries())
    atomicWrite(join(directory, names[index] ?? ""), writeYaml(object), {
      mode: object.kind === "Secret" ? 0o600 : 0o644,
    })
  const list = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources: names }
  atomicWrite(join(directory, "kustomization.yaml"), writeYaml(list), { mode: 0o644 })
  out.note(`${objects.length} objects in ${directory}: kubectl apply -k ${directory}`)
  return 0
}
