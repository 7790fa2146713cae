import { expect, test } from "bun:test"
import type { ContainerState } from "../container/container.ts"
import type { Sandbox } from "../sandbox/sandbox.ts"
import type { PodStatus } from "./pod.ts"
import { podStatus } from "./status.ts"

const ready = { state: { status: "ready" }, startedAt: new Date() } as unknown as Sandbox
const stopped = { state: { status: "stopped" }, startedAt: new Date() } as unknown as Sandbox
const fresh = { state: { status: "stopped" } } as unknown as Sandbox

test.each<[ContainerState["status"][], Sandbox | undefined, PodStatus]>([
  [[], undefined, "Created"],
  [[], fresh, "Created"],
  [[], ready, "Running"],
  [[], stopped, "Exited"],
  [["created"], fresh, "Created"],
  [["running", "running"], ready, "Running"],
  [["running", "exited"], ready, "Degraded"],
  [["running", "created"], ready, "Degraded"],
  // what was there before podman's infra container was stopped
  [["exited", "exited"], ready, "Degraded"],
  [["exited", "exited"], stopped, "Exited"],
  [["exited", "created"], stopped, "Stopped"],
  [["paused", "paused"], ready, "Paused"],
  [["paused", "running"], ready, "Degraded"],
  [["paused", "exited"], ready, "Stopped"],
  [["exited", "exited"], undefined, "Exited"],
  [["removing"], undefined, "Error"],
])("%p is a pod's state", (states, sandbox, expected) => {
  expect(podStatus(states, sandbox)).toBe(expected)
})
