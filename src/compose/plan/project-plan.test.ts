import { expect, test } from "bun:test"
import { LABEL } from "../labels.ts"
import type { ProjectContainer } from "../project-containers.ts"
import type { Project, Service } from "../project.ts"
import { contextOf } from "../service/context.suite.ts"
import { serviceHash } from "../write/hash.ts"
import { withReferences } from "../service/references.ts"
import { comparableService } from "./changed-keys.ts"
import { ANNOTATION } from "./divergence.ts"
import { inOrder, planProject, type PlanInput } from "./project-plan.ts"

const IMAGE = "sha256:one"

function projectOf(services: Record<string, Service>, more: Partial<Project> = {}): Project {
  return { ...contextOf({}, more).project, services }
}

/** The container that an `up` of this service made. */
function madeOf(service: string, definition: Service, { network = "p_default", directory = "/srv/p" } = {}) {
  const resolved = withReferences({
    service: definition,
    containersOf: (name) => [{ id: `id-${name}`, name, number: 1 }],
  })
  const labels = { [LABEL.image]: IMAGE, [LABEL.workingDirectory]: directory }
  return {
    container: {
      id: `id-${service}`,
      name: `p-${service}-1`,
      createdAt: new Date(0),
      state: { status: "running" },
      attachments: [{ network }],
      options: { labels, mounts: [], annotations: { [ANNOTATION.service]: comparableService(resolved) } },
    },
    service,
    number: 1,
    project: "p",
    isOneOff: false,
    configHash: serviceHash(resolved),
  } as unknown as ProjectContainer
}

function plan(project: Project, found: ProjectContainer[], more: Partial<PlanInput> = {}) {
  const made = planProject({
    project,
    found,
    separator: "-",
    images: [],
    networks: [],
    volumes: [],
    imageId: () => IMAGE,
    recreation: () => "diverged",
    removesOrphans: false,
    ...more,
  })
  return {
    orphans: made.orphans.map(({ container }) => container.name),
    services: Object.fromEntries(
      made.services.map(({ service, steps }) => [service, steps.map(({ action, reason }) => [action, reason.kind])]),
    ),
  }
}

const depends = (restart: boolean): Service => ({
  image: "a",
  depends_on: { db: { condition: "service_started", restart, required: true } },
})

test("services come after those that they depend on", () => {
  expect(inOrder({ web: depends(false), db: {}, app: { network_mode: "service:web" } })).toEqual(["db", "web", "app"])
})

test("what did not change is kept", () => {
  const services = { db: { image: "a", networks: { default: null } } }
  const networks = { default: { name: "p_default" } }
  expect(plan(projectOf(services, { networks }), [madeOf("db", services.db)]).services).toEqual({
    db: [["keep", "unchanged"]],
  })
})

test("another image, a network that is missing, one that is made anew", () => {
  const services = { db: { image: "a", networks: { default: null } } }
  const networks = { default: { name: "p_default" } }
  const project = projectOf(services, { networks })
  expect(plan(project, [madeOf("db", services.db)], { imageId: () => "sha256:two" }).services).toEqual({
    db: [["recreate", "image"]],
  })
  expect(plan(project, [madeOf("db", services.db, { network: "other" })]).services).toEqual({
    db: [["recreate", "network"]],
  })
  const step = { key: "default", name: "p_default", action: "recreate", configHash: "x" } as const
  expect(plan(project, [madeOf("db", services.db)], { networks: [step] }).services).toEqual({
    db: [["recreate", "newNetwork"]],
  })
})

test("who depends with restart: true stands still meanwhile, and others do not", () => {
  const before = { db: { image: "a" }, web: depends(true), other: depends(false) }
  const found = Object.entries(before).map(([name, service]) => madeOf(name, service))
  expect(plan(projectOf({ ...before, db: { image: "a", tty: true } }), found).services).toEqual({
    db: [["recreate", "changed"]],
    other: [["keep", "unchanged"]],
    web: [["restart", "dependency"]],
  })
})

test("who shares a namespace with one that is replaced is replaced, too", () => {
  const before: Record<string, Service> = { db: { image: "a" }, side: { image: "a", network_mode: "service:db" } }
  const found = Object.entries(before).map(([name, service]) => madeOf(name, service))
  expect(plan(projectOf(before), found).services).toEqual({
    db: [["keep", "unchanged"]],
    side: [["keep", "unchanged"]],
  })
  expect(plan(projectOf({ ...before, db: { image: "a", tty: true } }), found).services).toEqual({
    db: [["recreate", "changed"]],
    side: [["recreate", "shares"]],
  })
})

test("a hash of another version alone replaces nothing", () => {
  const service = { image: "a" }
  const made = { ...madeOf("db", service), configHash: "made by another version" }
  expect(plan(projectOf({ db: service }), [made]).services).toEqual({ db: [["keep", "unchanged"]] })
})

test("containers of services that are gone are orphans, but for those of a project elsewhere", () => {
  const project = projectOf({ db: { image: "a" } })
  const gone = madeOf("old", { image: "a" })
  const elsewhere = madeOf("older", { image: "a" }, { directory: "/elsewhere" })
  expect(plan(project, [gone, elsewhere]).orphans).toEqual(["p-old-1"])
})
