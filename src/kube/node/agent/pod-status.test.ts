import { expect, test } from "bun:test"
import type { PodSpec, PodStatus } from "kubernetes-types/core/v1"
import type { Attempt } from "./attempt.ts"
import { podStatus, qosClass, type ContainerFacts, type StatusFacts } from "./pod-status.ts"

const spec: PodSpec = { restartPolicy: "Always", containers: [{ name: "m", image: "web:1" }] }
const attempt = (number: number, state: Attempt["state"]): Attempt => ({
  id: `id${number}`,
  name: "m",
  attempt: number,
  image: "web:1",
  imageId: "sha256:1",
  createdAt: 0,
  resources: {},
  state,
})
const ended = (exitCode: number, more: object = {}): Attempt["state"] => ({
  is: "ended",
  exitCode,
  startedAt: 0,
  finishedAt: 1000,
  isOutOfMemory: false,
  isOfEarlierBoot: false,
  ...more,
})
const none: ContainerFacts = { latest: undefined, previous: undefined, isStarted: false, isReady: false }
const status = (facts: Partial<ContainerFacts>, more: Partial<StatusFacts> = {}): PodStatus =>
  podStatus({
    spec,
    before: undefined,
    containers: new Map([["m", { ...none, ...facts }]]),
    isInitialized: true,
    hasSandbox: true,
    podIps: ["10.0.0.2"],
    hostIps: ["192.0.2.1"],
    generation: 1,
    isEnded: false,
    now: 0,
    ...more,
  })
const condition = ({ conditions = [] }: PodStatus, type: string) => conditions.find((one) => one.type === type)
const container = (of: PodStatus) => of.containerStatuses?.[0]

test("one that is not made yet is waited for", () => {
  const told = status({})
  expect(told).toMatchObject({ phase: "Pending", podIP: "10.0.0.2", hostIP: "192.0.2.1", qosClass: "BestEffort" })
  expect(container(told)?.state).toEqual({ waiting: { reason: "ContainerCreating" } })
  expect(condition(told, "Ready")).toMatchObject({
    status: "False",
    reason: "ContainersNotReady",
    message: "containers with unready status: [m]",
  })
})

test("one that runs and is ready makes the pod so, once the gates say so as well", () => {
  const facts = { latest: attempt(0, { is: "running", startedAt: 0 }), isStarted: true, isReady: true }
  expect(condition(status(facts), "Ready")?.status).toBe("True")
  const gated = { ...spec, readinessGates: [{ conditionType: "example.com/in" }] }
  expect(condition(status(facts, { spec: gated }), "Ready")).toMatchObject({
    status: "False",
    reason: "ReadinessGatesNotReady",
  })
  const before = { conditions: [{ type: "example.com/in", status: "True" }] }
  expect(condition(status(facts, { spec: gated, before }), "Ready")?.status).toBe("True")
})

test("a back-off is told, with how the last run ended", () => {
  const waiting = { reason: "CrashLoopBackOff", message: "back-off 10s" }
  const told = status({ latest: attempt(2, ended(3)), waiting, message: "why" })
  expect(told.phase).toBe("Running")
  expect(container(told)).toMatchObject({
    restartCount: 2,
    containerID: "skiff://id2",
    state: { waiting },
    lastState: { terminated: { exitCode: 3, reason: "Error", message: "why" } },
  })
})

test.each([
  [ended(0), "Completed"],
  [ended(137, { isOutOfMemory: true }), "OOMKilled"],
  [ended(1), "Error"],
  [ended(128, { startedAt: undefined, error: "no such program" }), "ContainerCannotRun"],
])("%p is told as %s", (state, reason) =>
  expect(container(status({ latest: attempt(0, state) }))?.state?.terminated?.reason).toBe(reason),
)

test.each([
  ["Never", [0], "Succeeded"],
  ["Never", [1], "Failed"],
  ["OnFailure", [0], "Succeeded"],
  ["OnFailure", [1], "Running"],
  ["Always", [0], "Running"],
])("with %s, ended with %p, the pod is %s", (restartPolicy, [code = 0], phase) =>
  expect(status({ latest: attempt(0, ended(code)) }, { spec: { ...spec, restartPolicy } }).phase).toBe(phase),
)

test("a phase that is final stays, and a deadline makes one", () => {
  expect(status({ latest: attempt(0, ended(0)) }, { before: { phase: "Failed" } }).phase).toBe("Failed")
  const failure = { reason: "DeadlineExceeded", message: "too long" }
  expect(status({}, { failure, isEnded: true })).toMatchObject({ phase: "Failed", ...failure })
})

test("what somebody removed is told as lost, and an end that was told before stays", () => {
  const running = {
    containerStatuses: [
      {
        name: "m",
        image: "",
        imageID: "",
        ready: true,
        restartCount: 4,
        containerID: "skiff://x",
        state: { running: {} },
      },
    ],
  }
  expect(container(status({}, { before: running }))).toMatchObject({
    restartCount: 4,
    lastState: { terminated: { exitCode: 137, reason: "ContainerStatusUnknown" } },
  })
})

test.each([
  [{ containers: [{ name: "m" }] }, "BestEffort"],
  [{ containers: [{ name: "m", resources: { requests: { cpu: "1" } } }] }, "Burstable"],
  [{ containers: [{ name: "m", resources: { limits: { cpu: "1", memory: "1Mi" } } }] }, "Guaranteed"],
  [
    { containers: [{ name: "m", resources: { limits: { cpu: "1", memory: "1Mi" }, requests: { cpu: "500m" } } }] },
    "Burstable",
  ],
])("%p is %s", (of, expected) => expect(qosClass(of)).toBe(expected))
