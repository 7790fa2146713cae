import { expect, test } from "bun:test"
import { parseForeignContainer } from "./foreign-container.ts"

test("lists that docker writes as null are as if not there, and what is not read stays in HostConfig", () => {
  const document = {
    Id: "a".repeat(64),
    Name: "/web",
    Image: "sha256:0",
    Config: { Env: null },
    HostConfig: { NetworkMode: "default", Devices: null, Ulimits: null, Mounts: null, Memory: 5 },
  }
  const { Name, HostConfig } = parseForeignContainer(document)
  expect(Name).toBe("web")
  expect(HostConfig).toEqual({ NetworkMode: "default", Memory: 5 })
})
