import { expect, test } from "bun:test"
import { applyChanges } from "./apply-changes.ts"

test("each change sets what it sets in a build; what it does not name stays", async () => {
  const base = { Env: ["A=1"], Labels: { a: "b" }, Cmd: ["sh"], OnBuild: ["RUN old"], WorkingDir: "/srv" }
  const changes = [
    "ENV B=$A-2 A=3",
    "LABEL c=d",
    'ENTRYPOINT ["x"]',
    "EXPOSE 80 53/udp",
    "WORKDIR sub",
    "USER 1:2",
    "VOLUME /v",
  ]
  const more = ["STOPSIGNAL SIGINT", "HEALTHCHECK --interval=5s CMD true", "ONBUILD RUN new", "CMD echo $A"]
  expect(await applyChanges(base, [...changes, ...more])).toMatchObject({
    Env: ["A=3", "B=1-2"],
    Labels: { a: "b", c: "d" },
    Entrypoint: ["x"],
    Cmd: ["/bin/sh", "-c", "echo $A"],
    ExposedPorts: { "80/tcp": {}, "53/udp": {} },
    WorkingDir: "/srv/sub",
    User: "1:2",
    Volumes: { "/v": {} },
    StopSignal: "SIGINT",
    Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 5_000_000_000 },
    OnBuild: ["RUN old", "RUN new"],
  })
})

test("without changes nothing changes", async () => {
  const base = { Env: ["A=1"], Cmd: null }
  expect(await applyChanges(base, [])).toBe(base)
})

for (const change of ["RUN true", "COPY a b", "ADD a b", "FROM x", "ARG x", "MAINTAINER me", "NONSENSE", "ENV"])
  test(`${change} is refused`, async () => {
    await expect(applyChanges({}, [change])).rejects.toMatchObject({ code: "InvalidArgument" })
  })
