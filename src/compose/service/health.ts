import { defined } from "../../base/defined.ts"
import type { ContainerOptions, HealthOptions } from "../../container/container.ts"
import { parseDuration } from "../../spec/docker/duration.ts"
import { atKey, wrongValue } from "./at-key.ts"
import { keyOf, type ServiceContext } from "./service-context.ts"

/** The service's check; what it leaves out is the image's. Throws InvalidArgument. */
export function healthOptions(context: ServiceContext): Pick<ContainerOptions, "health"> {
  const check = context.service.healthcheck
  if (check === undefined) return {}
  const { test = [] } = check
  if (check.disable === true || test[0] === "NONE") return { health: { disabled: true } }
  if (check.start_interval !== undefined && check.start_period === undefined)
    // with words of docker's; without one the interval would never be used
    throw wrongValue(keyOf(context, "healthcheck"), "start_interval requires start_period to be set")
  const time = (key: "interval" | "timeout" | "start_period" | "start_interval"): number | undefined => {
    const text = check[key]
    return text === undefined ? undefined : atKey(keyOf(context, "healthcheck", key), () => parseDuration(text))
  }
  const health: HealthOptions = defined({
    test: test.length === 0 ? undefined : test,
    intervalMs: time("interval"),
    timeoutMs: time("timeout"),
    startPeriodMs: time("start_period"),
    startIntervalMs: time("start_interval"),
    retries: check.retries,
  })
  return Object.keys(health).length === 0 ? {} : { health }
}
