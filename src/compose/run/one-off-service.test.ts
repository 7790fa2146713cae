import { describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Project, Service } from "../project.ts"
import type { RunRequest } from "../run-options.ts"
import { oneOffService, ownVolumes } from "./one-off-service.ts"

const SERVICE: Service = {
  image: "busybox",
  command: ["serve"],
  entrypoint: ["/entry"],
  restart: "always",
  scale: 3,
  container_name: "fixed",
  deploy: { replicas: 2, restart_policy: { condition: "any" }, labels: { a: "b" } },
  ports: [{ target: 80, published: "8080", protocol: "tcp", mode: "ingress" }],
  environment: { A: "1", B: "2" },
  labels: { of: "file" },
  cap_add: ["NET_ADMIN"],
  cap_drop: ["ALL"],
}
const project = {
  services: { web: SERVICE },
  volumes: { data: {} },
  environment: { FROM: "shell" },
} as unknown as Project
const oneOff = (request: Partial<RunRequest> = {}) => oneOffService(project, { service: "web", ...request })

describe("oneOffService()", () => {
  test("leaves out what is of a service that stays", () => {
    const { restart, scale, container_name: name, deploy, ports, command } = oneOff()
    expect({ restart, scale, name, deploy, ports, command }).toEqual({
      restart: undefined,
      scale: undefined,
      name: undefined,
      deploy: { labels: { a: "b" } },
      ports: [],
      command: ["serve"],
    })
  })

  test("takes words of its own; an entrypoint takes the command away", () => {
    expect(oneOff({ command: ["a", "b"] })).toMatchObject({ command: ["a", "b"], entrypoint: ["/entry"] })
    expect(oneOff({ entrypoint: "sh -c 'a b'" })).toMatchObject({ command: [], entrypoint: ["sh", "-c", "a b"] })
    expect(oneOff({ entrypoint: "" })).toMatchObject({ command: [], entrypoint: [] })
    expect(() => oneOff({ entrypoint: "'open" })).toThrow("invalid entrypoint")
  })

  test("publishes the service's ports only when asked, or those that are given", () => {
    expect(oneOff({ servicePorts: true }).ports).toEqual(SERVICE.ports)
    expect(oneOff({ ports: ["8081:80"] }).ports).toMatchObject([{ target: 80, published: "8081", protocol: "tcp" }])
  })

  test("sets variables over the service's: given, then of files; a name alone has the project's value or none", () => {
    const directory = mkdtempSync(join(tmpdir(), "skiff-run-"))
    const file = join(directory, "env")
    writeFileSync(file, "B=file\nC=file-$A\n")
    try {
      const { environment } = oneOff({ env: ["A=given", "FROM", "MISSING"], envFiles: [file] })
      expect(environment).toEqual({ A: "given", B: "file", C: "file-given", FROM: "shell" })
      expect(() => oneOff({ envFiles: [join(directory, "none")] })).toThrow("cannot read")
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test("adds mounts, of which relative paths are the caller's and unknown names whole", () => {
    const service = oneOff({ volumes: ["./src:/src:ro", "data:/data", "other:/other"] })
    expect(service.volumes).toMatchObject([
      { type: "bind", source: join(process.cwd(), "src"), target: "/src", read_only: true },
      { type: "volume", source: "data", target: "/data" },
      { type: "volume", source: "other", target: "/other" },
    ])
    expect(ownVolumes(project, service)).toEqual({ other: { name: "other" } })
  })

  test("adds and drops capabilities, the last word counts", () => {
    const { cap_add: added, cap_drop: dropped } = oneOff({ capAdd: ["ALL"], capDrop: ["NET_ADMIN"] })
    expect({ added, dropped }).toEqual({ added: ["ALL"], dropped: ["NET_ADMIN"] })
  })
})
