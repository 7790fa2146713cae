import { duration, float, integer, listOf, pairs, struct, text, textList, type Key } from "../keys.ts"
import { deviceRequests } from "./shared-keys.ts"

const order = text({ enum: ["start-first", "stop-first"] })

const update = (): Key =>
  struct({
    parallelism: integer({ keepsZero: true }),
    delay: duration({ keepsZero: false }),
    failure_action: text(),
    monitor: duration({ keepsZero: false }),
    max_failure_ratio: float(),
    order,
  })

const cpus: Key = { types: ["number", "string"], type: "amount" }
const memory: Key = { types: ["string"], type: "bytes" }

const genericResources = listOf(
  struct({
    discrete_resource_spec: struct({
      kind: text(),
      value: { types: ["number", "string"], type: "integer", keepsZero: true },
    }),
  }),
)

/** How many containers a service has, where and with what. */
export const deploy: Key = struct(
  {
    mode: text(),
    replicas: integer({ keepsZero: true }),
    labels: pairs("pairs"),
    update_config: update(),
    rollback_config: update(),
    resources: struct(
      {
        limits: struct({ cpus, memory, pids: integer() }),
        reservations: struct({ cpus, memory, devices: deviceRequests, generic_resources: genericResources }),
      },
      { isAlwaysInJson: true, keepsZero: false },
    ),
    restart_policy: struct({
      condition: text(),
      delay: duration(),
      max_attempts: integer({ keepsZero: true }),
      window: duration(),
    }),
    placement: struct(
      {
        constraints: textList(),
        preferences: listOf(struct({ spread: text() })),
        max_replicas_per_node: integer(),
      },
      { isAlwaysInJson: true, keepsZero: false },
    ),
    endpoint_mode: text(),
  },
  { types: ["object", "null"] },
)
