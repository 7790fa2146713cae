import { expect, test } from "bun:test"
import type { Service } from "../project.ts"
import { changedKeys, comparableService } from "./changed-keys.ts"

const changes = (before: Service, after: Service) => changedKeys(comparableService(before), comparableService(after))

test("the keys that differ are named by their paths, in order", () => {
  expect(changes({ image: "a", restart: "no", cpus: 1 }, { image: "b", restart: "no", tty: true })).toEqual([
    { key: "cpus", before: "1" },
    { key: "image", before: "a", after: "b" },
    { key: "tty", after: "true" },
  ])
  expect(changes({ logging: { options: { tag: "a" } } }, { logging: { options: { tag: "b" } } })).toEqual([
    { key: "logging.options.tag", before: "a", after: "b" },
  ])
})

test("a variable is named, and its value is not", () => {
  expect(changes({}, { environment: { PASSWORD: "secret" } })).toEqual([{ key: "environment.PASSWORD" }])
})

test("what only says how a container comes to be makes no other one", () => {
  const service: Service = {
    build: {},
    scale: 3,
    pull_policy: "always",
    profiles: ["x"],
    deploy: { replicas: 3 },
    depends_on: { db: { condition: "service_started", required: true } },
  }
  expect(changes(service, {})).toEqual([])
})

test("the order of keys is no change", () => {
  expect(changes({ labels: { a: "1", b: "2" } }, { labels: { b: "2", a: "1" } })).toEqual([])
})

test("what is no service is not compared", () => {
  expect(changedKeys("{", "{}")).toBeUndefined()
})
