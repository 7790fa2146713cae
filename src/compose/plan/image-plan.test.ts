import { expect, test } from "bun:test"
import type { Image } from "../../image/image.ts"
import type { Service } from "../project.ts"
import { contextOf } from "../service/context.suite.ts"
import { parsePullPolicy, planImages, type ImageRules } from "./image-plan.ts"

const HOUR_MS = 3_600_000

/** Of one service; `age`: the image is here, and came in so many hours ago. */
function steps(service: Service, { age, ...rules }: Partial<ImageRules> & { age?: number } = {}): string[] {
  const now = 1_000 * HOUR_MS
  const image = { platform: { os: "linux", architecture: "amd64" }, recordedAt: new Date(now - (age ?? 0) * HOUR_MS) }
  const { project } = contextOf(service)
  return planImages(project, {
    separator: "-",
    now,
    find: () => (age === undefined ? undefined : (image as unknown as Image)),
    ...rules,
  }).map(({ action, image: name, reason }) => `${action} ${name} ${reason}`)
}

test.each([
  [{ image: "a" }, {}, ["pull a missing"]],
  [{ image: "a" }, { age: 0 }, []],
  [{ image: "a", pull_policy: "always" }, { age: 0 }, ["pull a policy"]],
  [{ image: "a", pull_policy: "never" }, {}, []],
  [{ image: "a", pull_policy: "daily" }, { age: 23 }, []],
  [{ image: "a", pull_policy: "daily" }, { age: 25 }, ["pull a age"]],
  [{ image: "a", pull_policy: "every_1d12h" }, { age: 37 }, ["pull a age"]],
  [{ image: "a", pull_policy: "always" }, { age: 0, pull: "missing" }, []],
  [{ image: "a", platform: "linux/arm64" }, { age: 0 }, ["pull a platform"]],
  [{ build: {} }, {}, ["build p-web missing"]],
  [{ build: {} }, { age: 0 }, []],
  [{ build: {} }, { age: 0, build: "always" }, ["build p-web policy"]],
  [{ build: {}, pull_policy: "build" }, { age: 0 }, ["build p-web policy"]],
  [{ build: {} }, { build: "never" }, []],
  [{ build: {}, image: "a" }, {}, ["pull-or-build a missing"]],
  [{ build: {}, image: "a" }, { build: "never" }, ["pull a missing"]],
  [{ provider: { type: "x" } }, {}, []],
  [{ image: "a", volumes: [{ type: "image", source: "b", target: "/b" }] }, {}, ["pull a missing", "pull b missing"]],
] as const)("%j with %j: %j", (service, rules, expected) => {
  expect(steps(service as Service, rules as Partial<ImageRules>)).toEqual([...expected])
})

test("an unknown policy is refused with its key", () => {
  for (const text of ["sometimes", "every_", "every_5y", "every_1d5"])
    expect(() => parsePullPolicy(text, "web")).toThrow("services.web.pull_policy: ")
})
