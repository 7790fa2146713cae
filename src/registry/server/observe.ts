import type { HandlerDeps } from "./handle.ts"
import { Metrics } from "./metrics.ts"
import type { Webhook } from "./webhook.ts"

/** Who is told of requests. */
export interface ObserveOptions {
  metrics: boolean
  /** Addresses that events are sent to. */
  webhooks: readonly string[]
  /** What the registry calls itself, once it listens. */
  self: () => string
}

/** Observers as a handler takes them; the webhooks are the caller's to close. */
export async function observe(
  options: ObserveOptions,
): Promise<Pick<HandlerDeps, "observers" | "metrics"> & { webhooks: Webhook[] }> {
  const webhooks = await webhooksOf(options)
  if (!options.metrics) return { webhooks, observers: webhooks }
  const metrics = new Metrics(() => (webhooks.length === 0 ? [] : eventMetrics(webhooks)))
  return { webhooks, observers: [metrics, ...webhooks], metrics: () => metrics.text() }
}

async function webhooksOf({ webhooks, self }: ObserveOptions): Promise<Webhook[]> {
  if (webhooks.length === 0) return []
  const { Webhook } = await import("./webhook.ts")
  return webhooks.map((url) => new Webhook({ url, self }))
}

function eventMetrics(webhooks: readonly Webhook[]) {
  const sum = (of: (webhook: Webhook) => number) => webhooks.reduce((all, webhook) => all + of(webhook), 0)
  return [
    counter(
      "delivered",
      "Events that webhooks took.",
      sum((webhook) => webhook.delivered),
    ),
    counter(
      "dropped",
      "Events that were dropped: too many waited.",
      sum((webhook) => webhook.dropped),
    ),
    {
      name: "skiff_registry_events_waiting",
      type: "gauge" as const,
      help: "Events that wait for a webhook.",
      value: sum((webhook) => webhook.waiting),
    },
  ]
}

function counter(what: string, help: string, value: number) {
  return { name: `skiff_registry_events_${what}_total`, type: "counter" as const, help, value }
}
