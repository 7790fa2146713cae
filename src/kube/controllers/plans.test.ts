/** States to what is done next, for the functions that controllers are made of. */
import { expect, test } from "bun:test"
import type { Node, PersistentVolume, PersistentVolumeClaim } from "kubernetes-types/core/v1"
import type { PodDisruptionBudget } from "kubernetes-types/policy/v1"
import { boundedStep, readMetric } from "./autoscalers.ts"
import { planDaemon } from "./daemon-sets.ts"
import { budgetStatus } from "./disruption-budgets.ts"
import type { KeptPod } from "./pod-state.ts"
import type { Surroundings } from "./placement.ts"
import { leavesAfterMs, refusalOf, victimsFor } from "./scheduler.ts"
import { addIndex, indexesOf, indexText } from "./job-indexes.ts"
import type { Kept } from "./kept.ts"
import { milliCpu, quantity } from "./quantities.ts"
import { planRollout, resolveFenceposts, type RolloutState, type SetScale } from "./rollout.ts"
import { selects, selectorText } from "./selector.ts"
import { ordinalOf } from "./stateful-sets.ts"
import { fitsClaim } from "./volume-binder.ts"

const set = (uid: string, replicas: number, available = replicas): SetScale => ({
  uid,
  replicas,
  available,
  existing: replicas,
})
const state = (more: Partial<RolloutState>): RolloutState => ({
  wanted: 4,
  strategy: "RollingUpdate",
  isPaused: false,
  bounds: { maxSurge: 1, maxUnavailable: 1 },
  current: set("new", 0),
  old: [set("old", 4)],
  desiredBefore: 4,
  ...more,
})

test.each<[string, Partial<RolloutState>, [string, number][]]>([
  ["the new set gets as many as the surge lets it", {}, [["new", 1]]],
  ["then the old one gives up what may be missing", { current: set("new", 1, 0) }, [["old", 3]]],
  ["no more than that while the new ones do not serve", { current: set("new", 2, 0), old: [set("old", 3)] }, []],
  ["old ones that do not serve go first", { current: set("new", 1), old: [set("old", 4, 2)] }, [["old", 2]]],
  ["at the end the old one has none", { current: set("new", 4), old: [set("old", 1)] }, [["old", 0]]],
  ["a set that has too many is cut", { current: set("new", 6), old: [] }, [["new", 4]]],
  ["without a surge the old one shrinks first", { bounds: { maxSurge: 0, maxUnavailable: 1 } }, [["old", 3]]],
  ["paused, nothing moves", { isPaused: true }, [["old", 4]]],
  [
    "scaled while it is under way, each has its share",
    { wanted: 8, current: set("new", 2), old: [set("old", 3)] },
    [
      ["old", 5],
      ["new", 4],
    ],
  ],
  ["Recreate takes all away", { strategy: "Recreate" }, [["old", 0]]],
  ["and waits until they are gone", { strategy: "Recreate", old: [{ ...set("old", 0), existing: 1 }] }, []],
  ["before it makes new ones", { strategy: "Recreate", old: [set("old", 0)] }, [["new", 4]]],
])("%s", (_, more, expected) => expect(new Map(planRollout(state(more)))).toEqual(new Map(expected)))

test("shares of surges are rounded up, of those missing down, and something always moves", () => {
  expect(resolveFenceposts(undefined, 3)).toEqual({ maxSurge: 1, maxUnavailable: 0 })
  expect(resolveFenceposts({ maxSurge: "50%", maxUnavailable: "50%" }, 3)).toEqual({ maxSurge: 2, maxUnavailable: 1 })
  expect(resolveFenceposts({ maxSurge: 0, maxUnavailable: 0 }, 3)).toEqual({ maxSurge: 0, maxUnavailable: 1 })
})

const pods = (...used: (number | undefined)[]) => used.map((one) => ({ isReady: true, used: one, requested: 100 }))
const half = { name: "cpu" as const, target: { type: "Utilization", averageUtilization: 50 } }
test.each([
  [2, pods(100, 100), 4],
  [2, pods(52, 52), 2],
  [4, pods(10, 10, 10, 10), 1],
  // what is not measured yet is taken to use nothing when it would add
  [2, pods(100, undefined), 2],
])("%i pods that use %p come to %i", (replicas, used, wanted) =>
  expect(readMetric(half, replicas, used)?.wanted).toBe(wanted),
)

test("what asks for nothing has no utilization", () =>
  expect(readMetric(half, 1, [{ isReady: true, used: 5, requested: 0 }])).toBeUndefined())

test("steps are bounded by the policies of the last period", () => {
  const rules = { policies: [{ type: "Pods", value: 4, periodSeconds: 15 }] }
  const bounded = (changes: { at: number; by: number }[]) => boundedStep(2, 20, { rules, changes, now: 100_000 })
  expect(bounded([])).toBe(6)
  expect(boundedStep(6, 20, { rules, changes: [{ at: 95_000, by: 4 }], now: 100_000 })).toBe(6)
  expect(bounded([{ at: 50_000, by: 4 }])).toBe(6)
  expect(boundedStep(10, 1, { rules: { selectPolicy: "Disabled" }, changes: [], now: 0 })).toBe(10)
  expect(
    boundedStep(10, 1, {
      rules: { policies: [{ type: "Percent", value: 50, periodSeconds: 15 }] },
      changes: [],
      now: 0,
    }),
  ).toBe(5)
})

test("indexes are written as ranges, and read again", () => {
  const all = [3, 0, 1, 7, 2, 9, 8, 5].reduce<number[]>(addIndex, [])
  expect(indexText(all)).toBe("0-3,5,7-9")
  expect(indexesOf("0-3,5,7-9")).toEqual([0, 1, 2, 3, 5, 7, 8, 9])
  expect(indexText([1, 2])).toBe("1,2")
})

test.each([
  ["100m", 0.1],
  ["1Gi", 2 ** 30],
  ["1.5k", 1500],
  ["1e3", 1000],
  ["x", 0],
])("%s is %d", (text, expected) => expect(quantity(text)).toBe(expected))
test("processors are counted in thousandths, rounded up", () =>
  expect([milliCpu("0.1"), milliCpu("1u"), milliCpu(2)]).toEqual([100, 1, 2000]))

test("a selector's expressions must all hold", () => {
  const selector = {
    matchLabels: { app: "web" },
    matchExpressions: [
      { key: "tier", operator: "In", values: ["a", "b"] },
      { key: "old", operator: "DoesNotExist" },
    ],
  }
  expect(selects(selector, { app: "web", tier: "a" })).toBe(true)
  expect(selects(selector, { app: "web", tier: "a", old: "" })).toBe(false)
  expect(selects(selector, { app: "web" })).toBe(false)
  expect([selects({}, {}), selects(undefined, {})]).toEqual([true, false])
  expect(selectorText(selector)).toBe("app=web,tier in (a,b),!old")
})

test("ordinals are of the set's own names", () =>
  expect([ordinalOf("web", "web-10"), ordinalOf("web", "web-01"), ordinalOf("web", "other-1")]).toEqual([
    10,
    undefined,
    undefined,
  ]))

test("a claim takes a volume of its class that is large enough and nobody's", () => {
  const meta = { namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" }
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { ...meta, name: "data" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  } as Kept<PersistentVolumeClaim>
  const volume = (spec: object, phase = "Available") =>
    ({
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { ...meta, name: "pv" },
      spec: { storageClassName: "slow", accessModes: ["ReadWriteOnce"], capacity: { storage: "2Gi" }, ...spec },
      status: { phase },
    }) as Kept<PersistentVolume>
  expect(fitsClaim(volume({}), claim, "slow")).toBe(true)
  expect(fitsClaim(volume({}), claim, "fast")).toBe(false)
  expect(fitsClaim(volume({ capacity: { storage: "1Mi" } }), claim, "slow")).toBe(false)
  expect(fitsClaim(volume({}, "Released"), claim, "slow")).toBe(false)
  expect(fitsClaim(volume({ claimRef: { name: "other", namespace: "default" } }), claim, "slow")).toBe(false)
  expect(fitsClaim(volume({ claimRef: { name: "data", namespace: "default" } }), claim, "fast")).toBe(true)
})

const daemon = (revision: string, more: object = {}, status: object = { phase: "Running" }) =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: revision, creationTimestamp: "2026", labels: { "controller-revision-hash": revision }, ...more },
    status,
  }) as unknown as KeptPod

test.each<[string, KeptPod[], Partial<Parameters<typeof planDaemon>[1]>, { create: boolean; delete: string[] }]>([
  ["a node without one gets one", [], {}, { create: true, delete: [] }],
  ["one that is there stays", [daemon("new")], {}, { create: false, delete: [] }],
  ["one of an old revision goes first", [daemon("old")], {}, { create: false, delete: ["old"] }],
  ["unless somebody else is to take it away", [daemon("old")], { isRolling: false }, { create: false, delete: [] }],
  [
    "one that is ending is waited for",
    [daemon("new", { deletionTimestamp: "2026" })],
    {},
    { create: false, delete: [] },
  ],
  ["one that has ended is replaced", [daemon("new", {}, { phase: "Failed" })], {}, { create: false, delete: ["new"] }],
  ["a node that is not meant has none", [daemon("new")], { isWanted: false }, { create: false, delete: ["new"] }],
])("of a DaemonSet %s", (_, all, how, expected) => {
  const plan = planDaemon(all, { isWanted: true, revision: "new", isRolling: true, ...how })
  expect({ ...plan, delete: plan.delete.map(({ metadata }) => metadata.name) }).toEqual(expected)
})

test.each([
  [{ minAvailable: 2 }, 3, 1],
  [{ minAvailable: "50%" }, 3, 1],
  [{ maxUnavailable: 1 }, 3, 1],
  [{ maxUnavailable: 1 }, 4, 0],
  [{ maxUnavailable: "100%" }, 4, 3],
])("a budget of %p with %i expected and 3 that serve lets %i go", (spec, expected, allowed) => {
  const budget = { metadata: {}, spec } as unknown as Kept<PodDisruptionBudget>
  const serving = daemon("new", {}, { phase: "Running", conditions: [{ type: "Ready", status: "True" }] })
  expect(budgetStatus(budget, [serving, serving, serving], expected, 0).disruptionsAllowed).toBe(allowed)
})

test.each<[string, object, object, string | undefined]>([
  ["fits", {}, {}, undefined],
  [
    "asks for more than there is",
    { containers: [{ name: "m", resources: { requests: { cpu: "3" } } }] },
    {},
    "Insufficient cpu",
  ],
  ["wants another node", { nodeSelector: { disk: "fast" } }, {}, "node(s) didn't match Pod's node affinity/selector"],
  ["comes while the node is cordoned", {}, { spec: { unschedulable: true } }, "node(s) were unschedulable"],
  [
    "does not tolerate a taint",
    { tolerations: [{ key: "for", value: "db", effect: "NoExecute" }] },
    { spec: { taints: [{ key: "for", value: "db", effect: "NoSchedule" }] } },
    "node(s) had untolerated taint {for: db}",
  ],
  [
    "tolerates it",
    { tolerations: [{ key: "for", value: "db" }] },
    { spec: { taints: [{ key: "for", value: "db", effect: "NoSchedule" }] } },
    undefined,
  ],
  ["wants a zone", { affinity: nodeAffinity("zone", "In", ["a"]) }, {}, undefined],
  ["wants newer cores", { affinity: nodeAffinity("cores", "Gt", ["4"]) }, {}, undefined],
  [
    "wants older cores",
    { affinity: nodeAffinity("cores", "Lt", ["4"]) },
    {},
    "node(s) didn't match Pod's node affinity/selector",
  ],
  [
    "says that it wants something, and not what",
    {
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{}] } },
      },
    },
    {},
    "node(s) didn't match Pod's node affinity/selector",
  ],
  ["wants a neighbour that is there", { affinity: podAffinity("podAffinity", "db") }, {}, undefined],
  [
    "wants one that is not there",
    { affinity: podAffinity("podAffinity", "cache") },
    {},
    "node(s) didn't match pod affinity rules",
  ],
  ["wants its like, and is the first", { affinity: podAffinity("podAffinity", "web") }, {}, undefined],
  [
    "shuns a neighbour",
    { affinity: podAffinity("podAntiAffinity", "db") },
    {},
    "node(s) didn't match pod anti-affinity rules",
  ],
  ["shuns it in another namespace", { affinity: podAffinity("podAntiAffinity", "db", ["other"]) }, {}, undefined],
  [
    "shuns it in namespaces by their labels",
    {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: "zone", namespaceSelector: { matchLabels: { team: "a" } }, labelSelector: {} },
          ],
        },
      },
    },
    {},
    "node(s) didn't match pod anti-affinity rules",
  ],
  ["is shunned", { labels: "lonely" }, {}, "node(s) didn't satisfy existing pods anti-affinity rules"],
  [
    "is to be spread by what the node has not",
    { topologySpreadConstraints: [spread("rack")] },
    {},
    "node(s) didn't match pod topology spread constraints (missing required label)",
  ],
  ["is to be spread", { topologySpreadConstraints: [spread("zone")] }, {}, undefined],
  [
    "is to be spread over more than there are",
    { labels: "db", topologySpreadConstraints: [{ ...spread("zone"), minDomains: 2 }] },
    {},
    "node(s) didn't match pod topology spread constraints",
  ],
  [
    "wants a port of the host that another has",
    { containers: [{ name: "m", ports: [{ containerPort: 80, hostPort: 8080, hostIP: "127.0.0.1" }] }] },
    {},
    "node(s) didn't have free ports for the requested pod ports",
  ],
])("a pod that %s", (_, { labels: app = "web", ...spec }: { labels?: string } & object, more, expected) => {
  const node = {
    metadata: { name: "here", labels: { zone: "a", cores: "8" } },
    status: { allocatable: { cpu: "2", memory: "1Gi", pods: "10" } },
    ...more,
  }
  const pod = { metadata: { namespace: "default", labels: { app } }, spec: { containers: [], ...spec } }
  expect(refusalOf(pod as unknown as KeptPod, around(node))?.message).toBe(expected)
})

const asks = (name: string, priority: number, cpu: string) =>
  ({
    metadata: { name, namespace: "default", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { priority, containers: [{ name: "m", resources: { requests: { cpu } } }] },
  }) as unknown as KeptPod
const namesOf = (all: readonly KeptPod[] | undefined) => all?.map(({ metadata }) => metadata.name)

test("a pod of more priority takes the place of no more than it must", () => {
  const node = { metadata: { labels: {} }, status: { allocatable: { cpu: "4", pods: "10" } } }
  const others = [asks("low", 1, "1"), asks("lower", 0, "1"), asks("high", 10, "1"), asks("big", 2, "1")]
  const all = { ...around(node), others }
  expect(namesOf(victimsFor(asks("new", 5, "2"), all))).toEqual(["lower", "low"])
  expect(namesOf(victimsFor(asks("new", 5, "4"), all))).toBeUndefined()
  expect(namesOf(victimsFor(asks("new", 0, "1"), all))).toBeUndefined()
})

test.each([
  [[], 0],
  [[{ key: "gone", operator: "Exists" }], undefined],
  [[{ key: "gone", operator: "Exists", tolerationSeconds: 5 }], 5000],
  [[{ operator: "Exists", effect: "NoSchedule" }], 0],
])("a pod that tolerates %j leaves a tainted node after %p", (tolerations, expected) => {
  const taints = [{ key: "gone", effect: "NoExecute" }]
  expect(leavesAfterMs({ spec: { containers: [], tolerations } }, taints)).toBe(expected as never)
})

function nodeAffinity(key: string, operator: string, values: string[]) {
  const nodeSelectorTerms = [{ matchExpressions: [{ key, operator, values }] }]
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } }
}

function podAffinity(kind: string, app: string, namespaces?: string[]) {
  const term = { topologyKey: "zone", labelSelector: { matchLabels: { app } }, ...(namespaces && { namespaces }) }
  return { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
}

function spread(topologyKey: string) {
  return { maxSkew: 1, topologyKey, whenUnsatisfiable: "DoNotSchedule", labelSelector: { matchLabels: { app: "db" } } }
}

/** A node with a database that has a port of the host, and one that wants nobody beside it who is lonely. */
function around(node: object): Surroundings {
  const db = {
    metadata: { namespace: "default", labels: { app: "db" } },
    spec: { containers: [{ name: "m", ports: [{ containerPort: 80, hostPort: 8080 }] }] },
  }
  const shy = {
    metadata: { namespace: "default", labels: { app: "shy" } },
    spec: { containers: [], affinity: podAffinity("podAntiAffinity", "lonely") },
  }
  return {
    node: node as unknown as Kept<Node>,
    others: [db, shy] as unknown as KeptPod[],
    labelsOf: (namespace): Record<string, string> => (namespace === "default" ? { team: "a" } : {}),
  }
}
