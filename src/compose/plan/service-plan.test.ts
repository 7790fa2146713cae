import { expect, test } from "bun:test"
import type { ProjectContainer } from "../project-containers.ts"
import { planService, type PlanRules } from "./service-plan.ts"

interface Made {
  number: number
  name?: string
  status?: string
  replaces?: string
  diverged?: boolean
}

/** A container as the plan looks at it. */
function made({ number, name = `p-web-${number}`, status = "running", replaces, diverged = false }: Made) {
  const labels = replaces === undefined ? {} : { "com.docker.compose.replace": replaces }
  const container = { id: `id-${name}`, name, state: { status }, options: { labels }, createdAt: new Date(number) }
  return {
    container,
    number,
    project: "p",
    service: "web",
    configHash: diverged ? "old" : "new",
  } as unknown as ProjectContainer
}

const plan = (containers: Made[], rules: Partial<PlanRules> = {}) =>
  planService(
    "web",
    containers.map((one) => made(one)),
    {
      wanted: 1,
      recreate: "diverged",
      divergence: ({ configHash }) => (configHash === "old" ? { kind: "changed", more: 0 } : undefined),
      ...rules,
    },
  ).steps.map(({ action, number, reason }) => `${action} ${number} ${reason.kind}`)

test("what is as it should be is kept, or started", () => {
  expect(plan([{ number: 1 }])).toEqual(["keep 1 unchanged"])
  expect(plan([{ number: 1, status: "exited" }])).toEqual(["start 1 stopped"])
  expect(plan([{ number: 1, status: "created" }])).toEqual(["start 1 stopped"])
})

test("what changed is replaced, unless nothing shall be", () => {
  expect(plan([{ number: 1, diverged: true }])).toEqual(["recreate 1 changed"])
  expect(plan([{ number: 1, diverged: true }], { recreate: "never" })).toEqual(["keep 1 kept"])
  expect(plan([{ number: 1 }], { recreate: "always" })).toEqual(["recreate 1 forced"])
})

test("new ones get the numbers after the highest", () => {
  expect(plan([], { wanted: 2 })).toEqual(["create 1 missing", "create 2 missing"])
  expect(plan([{ number: 4 }], { wanted: 3 })).toEqual(["keep 4 unchanged", "create 5 missing", "create 6 missing"])
})

test("of too many those go first that changed, then the highest numbers", () => {
  expect(plan([{ number: 1, diverged: true }, { number: 2 }, { number: 3 }])).toEqual([
    "remove 1 surplus",
    "keep 2 unchanged",
    "remove 3 surplus",
  ])
  expect(plan([{ number: 1 }, { number: 2 }], { wanted: 0 })).toEqual(["remove 1 surplus", "remove 2 surplus"])
})

test("a replacement that was interrupted is finished, whether the old one is there or not", () => {
  const replacement = { number: 1, name: "0123456789ab_p-web-1", replaces: "web-1", status: "created" }
  expect(plan([{ number: 1, diverged: true }, replacement])).toEqual(["finish 1 unfinished"])
  expect(plan([replacement])).toEqual(["finish 1 unfinished"])
})

test("a replacement that is not what is wanted any more goes, and the old one is looked at", () => {
  const replacement = { number: 1, name: "0123456789ab_p-web-1", replaces: "web-1", diverged: true }
  expect(plan([{ number: 1 }, replacement])).toEqual(["remove 1 unfinished", "keep 1 unchanged"])
})
