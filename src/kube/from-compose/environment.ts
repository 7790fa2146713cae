import { Buffer } from "node:buffer"
import type { KubeObject } from "../kube-object.ts"
import type { ServicePlan } from "./convert-options.ts"

/** Names whose values nobody should read in a workload's YAML. */
const SECRET_NAME = /(?:PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|PRIVATE_KEY|API_?KEY|ACCESS_?KEY)/i

/** The service's variables; values that look like secrets stand in a Secret of their own and are referred to. Pure. */
export function environmentOf(plan: ServicePlan): { env: object[]; secret: KubeObject | undefined } {
  const entries = Object.entries(plan.service.environment ?? {}).flatMap(([name, value]): [string, string][] =>
    value === null ? [] : [[name, value]],
  )
  const hidden = entries.filter(([name, value]) => SECRET_NAME.test(name) && !name.endsWith("_FILE") && value !== "")
  const secretName = `${plan.name}-env`
  const env = entries.map(([name, value]) =>
    hidden.some(([one]) => one === name)
      ? { name, valueFrom: { secretKeyRef: { name: secretName, key: name } } }
      : { name, value: escaped(value) },
  )
  if (hidden.length === 0) return { env, secret: undefined }
  const data = Object.fromEntries(hidden.map(([name, value]) => [name, Buffer.from(value).toString("base64")]))
  return {
    env,
    secret: {
      apiVersion: "v1",
      kind: "Secret",
      type: "Opaque",
      metadata: { name: secretName, labels: { ...plan.labels } },
      data,
    },
  }
}

/** Kubernetes puts the values of variables in for `$(NAME)`; `$$(NAME)` is the text itself. */
function escaped(value: string): string {
  return value.replaceAll("$(", "$$$$(")
}
