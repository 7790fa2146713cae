import { expect, test } from "bun:test"
import type { Service } from "../project.ts"
import { testProject } from "../test-project.suite.ts"
import { checkConsistency } from "./consistency.ts"

const waiting = (required: boolean) => ({ a: { image: "x", depends_on: { b: { ...started, required } } } })
const started = { condition: "service_started", required: true } as const

// by docker compose 2.40.3
test.each<[string, Record<string, Service>, string]>([
  ["no image", { a: {} }, 'service "a" has neither an image nor a build context specified: invalid compose project'],
  [
    "an unknown network",
    { a: { image: "x", networks: { n: null } } },
    'service "a" refers to undefined network n: invalid compose project',
  ],
  [
    "an unknown volume",
    { a: { image: "x", volumes: [{ type: "volume", source: "v", target: "/v" }] } },
    'service "a" refers to undefined volume v: invalid compose project',
  ],
  [
    "an unknown secret",
    { a: { image: "x", secrets: [{ source: "s" }] } },
    'service "a" refers to undefined secret s: invalid compose project',
  ],
  [
    "an unknown service",
    { a: { image: "x", depends_on: { b: started } } },
    'service "a" depends on undefined service "b": invalid compose project',
  ],
  [
    "a circle",
    { a: { image: "x", depends_on: { b: started } }, b: { image: "x", depends_on: { a: started } } },
    "dependency cycle detected: a -> b -> a",
  ],
  [
    "two numbers of containers",
    { a: { image: "x", scale: 3, deploy: { replicas: 2 } } },
    "services.a: can't set distinct values on 'scale' and 'deploy.replicas': invalid compose project",
  ],
  [
    "one name for two containers",
    { a: { image: "x", scale: 3, container_name: "c" } },
    "services.scale: can't set container_name and a as container name must be unique: invalid compose project",
  ],
  [
    "a limit on one side alone",
    { a: { image: "x", mem_limit: "5", deploy: { resources: { limits: { cpus: "1" } } } } },
    "services.a: can't set distinct values on 'mem_limit' and 'deploy.resources.limits.memory': invalid compose project",
  ],
  [
    "a target twice",
    { a: { image: "x", tmpfs: ["/x"], volumes: [{ type: "tmpfs", target: "/x" }] } },
    "services.a.volumes[0]: target /x already mounted as services.a.tmpfs[0]",
  ],
  [
    "a test of no kind",
    { a: { image: "x", healthcheck: { test: ["x"] } } },
    'healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"',
  ],
])("%s is refused", (_, services, message) => {
  expect(() => checkConsistency(testProject(services))).toThrow(message)
})

test("a dependency that a profile leaves out is refused, unless it is not required", () => {
  const more = { disabledServices: { b: { image: "x" } } }
  expect(() => checkConsistency(testProject(waiting(true), more))).toThrow('depends on undefined service "b"')
  expect(() => checkConsistency(testProject(waiting(false), more))).not.toThrow()
})

// by docker compose 2.40.3: `config` prints it, and a service without `deploy` gets none
test("a scale is the replicas of a deploy that is there", () => {
  const project = testProject({ a: { image: "x", scale: 3, deploy: {} }, b: { image: "x", scale: 3 } })
  checkConsistency(project)
  expect(project.services).toMatchObject({ a: { scale: 3, deploy: { replicas: 3 } }, b: { scale: 3 } })
  expect(project.services["b"]).not.toHaveProperty("deploy")
})

test("every fault is told", () => {
  expect(() => checkConsistency(testProject({ a: {}, b: { image: "x", networks: { n: null } } }))).toThrow(
    /"a" has neither[^]*"b" refers to undefined network n/,
  )
})
