import { expect, test } from "bun:test"
import type { Attempt } from "./attempt.ts"
import { isRestarted, nextActions, type ContainerView, type Role } from "./next-actions.ts"

const NOW = 1_000_000
const attempt = (name: string, state: Attempt["state"]): Attempt => ({
  id: `${name}-id`,
  name,
  attempt: 0,
  image: "i",
  imageId: "sha256:0",
  createdAt: 0,
  resources: {},
  state,
})
const running: Attempt["state"] = { is: "running", startedAt: 0 }
const ended = (exitCode: number): Attempt["state"] => ({
  is: "ended",
  exitCode,
  startedAt: 0,
  finishedAt: 0,
  isOutOfMemory: false,
  isOfEarlierBoot: false,
})
const view = (
  name: string,
  role: Role,
  state?: Attempt["state"],
  more: Partial<ContainerView> = {},
): ContainerView => ({
  name,
  role,
  latest: state && attempt(name, state),
  isStarted: false,
  ...more,
})

test.each<[string, string, ContainerView[], Partial<ReturnType<typeof nextActions>>]>([
  [
    "a new pod begins with its first init container",
    "Always",
    [view("i", "init"), view("m", "main")],
    { start: ["i"], isInitialized: false },
  ],
  [
    "the next waits for one that runs",
    "Always",
    [view("i", "init", running), view("m", "main")],
    { start: [], isInitialized: false },
  ],
  [
    "all of the others start together",
    "Always",
    [view("i", "init", ended(0)), view("m", "main"), view("n", "main")],
    { start: ["m", "n"], isInitialized: true },
  ],
  [
    "a failed init container runs again",
    "OnFailure",
    [view("i", "init", ended(1)), view("m", "main")],
    { start: ["i"], hasFailed: false },
  ],
  ["or ends the pod", "Never", [view("i", "init", ended(1)), view("m", "main")], { start: [], hasFailed: true }],
  [
    "a sidecar is waited for until it has started",
    "Always",
    [view("s", "sidecar", running), view("m", "main")],
    { start: [], isInitialized: false },
  ],
  [
    "and then no longer",
    "Always",
    [view("s", "sidecar", running, { isStarted: true }), view("m", "main")],
    { start: ["m"], isInitialized: true },
  ],
  [
    "a sidecar that ended beside the others is started again",
    "Never",
    [view("s", "sidecar", ended(0)), view("m", "main", running)],
    { start: ["s"] },
  ],
  [
    "what has ended well stays so",
    "OnFailure",
    [view("m", "main", ended(0)), view("n", "main", ended(2))],
    { start: ["n"] },
  ],
  ["nothing is started again where nothing may", "Never", [view("m", "main", ended(2))], { start: [] }],
  [
    "what somebody removed after its end has had its run",
    "Never",
    [view("m", "main", undefined, { endedWith: 0 })],
    { start: [] },
  ],
  [
    "a back-off is waited for",
    "Always",
    [view("m", "main", ended(1), { backOffUntil: NOW + 5 })],
    { start: [], lookAt: NOW + 5 },
  ],
])("%s", (_, policy, views, expected) => expect(nextActions(policy, views, NOW)).toMatchObject(expected))

test.each([
  ["Always", "main", 0, true],
  ["OnFailure", "main", 0, false],
  ["OnFailure", "main", 1, true],
  ["Never", "main", 1, false],
  ["Never", "sidecar", 0, true],
  ["Always", "init", 0, false],
] as const)("with %s a %s that ended with %i is started again: %p", (policy, role, code, expected) =>
  expect(isRestarted(policy, role, code)).toBe(expected),
)
