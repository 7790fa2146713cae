import type { Project } from "../../compose/compose.ts"
import type { KubeObject } from "../kube-object.ts"
import type { ConvertOptions } from "./convert-options.ts"
import type { Loss } from "./losses.ts"
import { clusterName } from "./cluster-name.ts"

/** A claim for each named volume that is not external. Its size: `driver_opts.size` (`10g` → `10Gi`), else that of the options. Pure. */
export function claimObjects(project: Project, options: ConvertOptions, losses: Loss[]): KubeObject[] {
  if ((options.volumes ?? "claim") !== "claim") return []
  return Object.entries(project.volumes).flatMap(([key, { external, driver, driver_opts: opts = {}, labels }]) => {
    if (external === true) return []
    if (driver !== undefined && driver !== "local")
      losses.push({ path: `volumes.${key}.driver`, reason: "the cluster's default storage class makes the volume" })
    for (const name of Object.keys(opts))
      if (name !== "size")
        losses.push({ path: `volumes.${key}.driver_opts.${name}`, reason: "storage classes have options of their own" })
    return {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: clusterName(key), ...(labels ? { annotations: labels } : {}) },
      spec: {
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: quantity(opts.size) ?? options.volumeSize ?? "1Gi" } },
      },
    }
  })
}

function quantity(size: string | undefined): string | undefined {
  const found = /^(\d+)\s*([kmgt]?)i?b?$/i.exec(size ?? "")
  if (!found) return undefined
  const unit = (found[2] ?? "").toUpperCase()
  return `${found[1]}${unit === "" ? "" : `${unit}i`}`
}
