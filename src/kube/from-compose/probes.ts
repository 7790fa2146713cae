import type { ServicePlan } from "./convert-options.ts"
import { secondsOf } from "./quantities.ts"

/** Docker's defaults, which the cluster's are not. */
const DEFAULT = { interval: "30s", timeout: "30s", retries: 3 }

/**
 * A health check as a cluster asks: ready (it gets traffic), alive (else it is started again), and begun (`start_period`: until then the
 * other two are not asked). kompose makes the second alone. A check of the image is not in the file, so it is lost. Pure.
 */
export function probesOf({ service: { healthcheck } }: ServicePlan): object {
  const [kind, ...words] = healthcheck?.test ?? []
  if (kind === undefined || kind === "NONE" || healthcheck?.disable === true) return {}
  const { interval = DEFAULT.interval, timeout = DEFAULT.timeout, retries = DEFAULT.retries } = healthcheck ?? {}
  const check = {
    exec: { command: kind === "CMD-SHELL" ? ["/bin/sh", "-c", ...words] : words },
    periodSeconds: secondsOf(interval),
    timeoutSeconds: secondsOf(timeout),
    failureThreshold: retries,
  }
  const period = secondsOf(healthcheck?.start_period)
  const everyStart = secondsOf(healthcheck?.start_interval) ?? 5
  return {
    readinessProbe: check,
    livenessProbe: check,
    startupProbe:
      period === undefined
        ? undefined
        : { ...check, periodSeconds: everyStart, failureThreshold: Math.ceil(period / everyStart) + retries },
  }
}
