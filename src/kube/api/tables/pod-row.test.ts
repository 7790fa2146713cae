import { expect, test } from "bun:test"
import { humanDuration } from "./age.ts"
import { podRow } from "./pod-row.ts"

const containers = [{ name: "a" }, { name: "b" }]
const running = { ready: true, started: true, restartCount: 0, state: { running: {} } }
const waiting = (reason: string): object => ({ ready: false, restartCount: 2, state: { waiting: { reason } } })
const ended = (exitCode: number, reason = ""): object => ({
  ready: false,
  restartCount: 0,
  state: { terminated: { exitCode, reason } },
})

test.each<[string, object, string, string]>([
  ["both run", { phase: "Running", containerStatuses: [running, running] }, "2/2", "Running"],
  [
    "one waits to be started again",
    { phase: "Running", containerStatuses: [running, waiting("CrashLoopBackOff")] },
    "1/2",
    "CrashLoopBackOff",
  ],
  ["none has begun", { phase: "Pending" }, "0/2", "Pending"],
  [
    "they are made",
    { phase: "Pending", containerStatuses: [waiting("ContainerCreating"), waiting("ContainerCreating")] },
    "0/2",
    "ContainerCreating",
  ],
  [
    "all are through",
    { phase: "Succeeded", containerStatuses: [ended(0, "Completed"), ended(0, "Completed")] },
    "0/2",
    "Completed",
  ],
  ["one failed", { phase: "Failed", containerStatuses: [ended(3), ended(0, "Completed")] }, "0/2", "ExitCode:3"],
  [
    "one is through, one runs, and it is ready",
    {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: [ended(0, "Completed"), running],
    },
    "1/2",
    "Running",
  ],
  ["it was evicted", { phase: "Failed", reason: "Evicted" }, "0/2", "Evicted"],
])("get pods, when %s", (_when, status, ready, text) => {
  expect(podRow({ metadata: {}, spec: { containers }, status })).toMatchObject({ ready, status: text })
})

test("init containers are counted, and sidecars among those that are ready", () => {
  const spec = { containers: [{ name: "a" }], initContainers: [{ name: "i" }, { name: "s", restartPolicy: "Always" }] }
  const beginning = {
    phase: "Pending",
    initContainerStatuses: [
      { name: "i", state: { running: {} } },
      { name: "s", state: { waiting: {} } },
    ],
  }
  expect(podRow({ spec, status: beginning })).toMatchObject({ ready: "0/2", status: "Init:0/2" })
  const failing = { phase: "Pending", initContainerStatuses: [{ name: "i", state: { terminated: { exitCode: 1 } } }] }
  expect(podRow({ spec, status: failing }).status).toBe("Init:ExitCode:1")
  const up = {
    phase: "Running",
    initContainerStatuses: [
      { name: "i", state: { terminated: { exitCode: 0 } } },
      { ...running, name: "s" },
    ],
    containerStatuses: [running],
  }
  expect(podRow({ spec, status: up })).toMatchObject({ ready: "2/2", status: "Running" })
})

test("a pod that is deleted is Terminating, whatever its containers do", () => {
  const metadata = { deletionTimestamp: "2026-11-30T15:00:00Z" }
  expect(
    podRow({ metadata, spec: { containers }, status: { phase: "Running", containerStatuses: [running, running] } })
      .status,
  ).toBe("Terminating")
})

test.each<[number, string]>([
  [-5000, "<invalid>"],
  [0, "0s"],
  [119_000, "119s"],
  [120_000, "2m"],
  [200_000, "3m20s"],
  [599_000, "9m59s"],
  [600_000, "10m"],
  [3 * 3_600_000, "3h"],
  [3 * 3_600_000 + 300_000, "3h5m"],
  [47 * 3_600_000, "47h"],
  [50 * 3_600_000, "2d2h"],
  [9 * 86_400_000, "9d"],
  [800 * 86_400_000, "2y70d"],
])("an age of %d ms is %s", (ms, text) => expect(humanDuration(ms)).toBe(text))
