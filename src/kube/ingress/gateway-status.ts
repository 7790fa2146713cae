/** What is said of Gateways and their routes in their own status (Gateway API, conditions). Pure. */
import { isDeepStrictEqual } from "node:util"
import type { StoredObject } from "../objects/objects.ts"
import type { ListenerVerdict, ParentVerdict, ResolvedGateways, Verdict } from "./gateway-routes.ts"
import { INGRESS_CONTROLLER } from "./routes.ts"

const GROUP = "gateway.networking.k8s.io"

/** A status that is not what it should be. */
export interface WantedStatus {
  resource: string
  object: StoredObject
  status: object
}

interface Condition {
  type: string
  status: "True" | "False"
  reason: string
  message: string
  observedGeneration: number
  lastTransitionTime: string
}

interface RouteStatus {
  parents?: readonly { controllerName?: string; parentRef?: object; conditions?: readonly Condition[] }[]
}

/** Where callers are heard. */
export interface HeardAt {
  address: string
  http: number
  https: number
}

/** Only those that change: what stays has its times. */
export function gatewayStatuses(
  { classes, gateways, parents }: ResolvedGateways,
  at: HeardAt,
  now: Date,
): WantedStatus[] {
  const all = [
    ...classes.map((object) => ({
      resource: `gatewayclasses.${GROUP}`,
      object,
      status: { ...statusOf<object>(object), conditions: accepted(object, conditionsOf(object), now) },
    })),
    ...gateways.map(({ gateway, listeners }) => ({
      resource: `gateways.${GROUP}`,
      object: gateway,
      status: gatewayStatus(gateway, listeners, at, now),
    })),
    ...parents.map(({ route, parents: own }) => ({
      resource: `httproutes.${GROUP}`,
      object: route,
      status: routeStatus(route, own, now),
    })),
  ]
  return all.filter(({ object, status }) => !isDeepStrictEqual(plain(status), plain(object["status"] ?? {})))
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const statusOf = <T extends object>(object: StoredObject): T => (object["status"] ?? {}) as T
const conditionsOf = (object: StoredObject): readonly Condition[] =>
  statusOf<{ conditions?: readonly Condition[] }>(object).conditions ?? []

function accepted(object: StoredObject, before: readonly Condition[], now: Date): Condition[] {
  return [condition(object, before, now, "Accepted", true, "Accepted")]
}

function condition(
  object: StoredObject,
  before: readonly Condition[],
  now: Date,
  type: string,
  verdict: Verdict,
  goodReason = type,
): Condition {
  const status = verdict === true ? "True" : "False"
  const known = before.find((one) => one.type === type)
  return {
    type,
    status,
    reason: verdict === true ? goodReason : verdict.reason,
    message: verdict === true ? "" : verdict.message,
    observedGeneration: object.metadata.generation ?? 1,
    lastTransitionTime: known?.status === status ? known.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, "Z"),
  }
}

function gatewayStatus(gateway: StoredObject, listeners: readonly ListenerVerdict[], at: HeardAt, now: Date): object {
  const before = statusOf<{ listeners?: readonly { name?: string; conditions?: readonly Condition[] }[] }>(gateway)
  const isAny = listeners.some(({ accepted: is }) => is === true)
  const isWhole = listeners.every(({ accepted: is, resolved }) => is === true && resolved === true)
  const own = conditionsOf(gateway)
  return {
    addresses: [{ type: "IPAddress", value: at.address }],
    conditions: [
      condition(
        gateway,
        own,
        now,
        "Accepted",
        isAny || { reason: "ListenersNotValid", message: "none of its listeners can be held" },
        isWhole ? "Accepted" : "ListenersNotValid",
      ),
      condition(
        gateway,
        own,
        now,
        "Programmed",
        isAny || { reason: "Invalid", message: "none of its listeners can be held" },
      ),
    ],
    listeners: listeners.map(({ listener, accepted: is, resolved, attachedRoutes }) => {
      const { name = "" } = listener
      const conditions = before.listeners?.find((one) => one.name === name)?.conditions ?? []
      const isTls = listener.protocol === "HTTPS"
      const port = isTls ? at.https : at.http
      const programmed: Verdict =
        is !== true ? { ...is, reason: "Invalid" } : resolved !== true ? { ...resolved, reason: "Invalid" } : true
      const said = condition(gateway, conditions, now, "Programmed", programmed)
      // the ports of this host are its administrator's to choose
      const elsewhere = programmed === true && listener.port !== port ? `answered at port ${port}` : said.message
      return {
        name,
        attachedRoutes,
        supportedKinds: [{ group: GROUP, kind: "HTTPRoute" }],
        conditions: [
          condition(gateway, conditions, now, "Accepted", is),
          { ...said, message: elsewhere },
          condition(gateway, conditions, now, "ResolvedRefs", resolved),
        ],
      }
    }),
  }
}

/** What other controllers say of it stays. */
function routeStatus(route: StoredObject, own: readonly ParentVerdict[], now: Date): object {
  const { parents: before = [] } = statusOf<RouteStatus>(route)
  const others = before.filter(({ controllerName }) => controllerName !== INGRESS_CONTROLLER)
  return {
    parents: [
      ...others,
      ...own.map(({ ref, accepted: is, resolved, dropped }) => {
        const known = before.find(
          ({ controllerName, parentRef }) => controllerName === INGRESS_CONTROLLER && isDeepStrictEqual(parentRef, ref),
        )
        const conditions = known?.conditions ?? []
        return {
          parentRef: ref,
          controllerName: INGRESS_CONTROLLER,
          conditions: [
            condition(route, conditions, now, "Accepted", is),
            condition(route, conditions, now, "ResolvedRefs", resolved),
            ...(dropped === 0 ? [] : [partly(route, conditions, now, dropped)]),
          ],
        }
      }),
    ],
  }
}

function partly(route: StoredObject, before: readonly Condition[], now: Date, dropped: number): Condition {
  const message = `Dropped Rule: ${dropped} of them want what is not done here: expressions, or filters that are not known`
  return { ...condition(route, before, now, "PartiallyInvalid", true, "UnsupportedValue"), message }
}
