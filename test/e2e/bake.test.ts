/** `skiff bake`: many builds of one file. One user is enough. */
import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { makeContext } from "../support/build.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()

const HCL = `
variable "TAG" { default = "dev" }
group "default" { targets = ["app", "tool"] }
target "base" {
  dockerfile-inline = <<-EOT
    FROM busybox
    RUN echo base > /base
  EOT
}
target "app" {
  contexts = { base = "target:base" }
  tags = ["bake-app:\${TAG}"]
  args = { WHO = upper("me") }
}
target "tool" {
  name = "tool-\${n}"
  matrix = { n = ["one", "two"] }
  dockerfile = "Tool.dockerfile"
  args = { N = n }
  tags = ["bake-tool:\${n}"]
}
`
const files = {
  "docker-bake.hcl": HCL,
  Dockerfile: "FROM base\nARG WHO\nRUN echo $WHO >> /base\n",
  "Tool.dockerfile": "FROM busybox\nARG N\nRUN echo $N > /n\n",
}

const shown = (image: string, file: string) => skiff.ok("run", "--rm", "--network", "none", image, "cat", file)

test("targets are built, what they take as a context first, a matrix in its images", async () => {
  const cwd = makeContext(skiff, files)
  const metadata = join(cwd, "metadata.json")
  const environment = { TAG: "v2" }
  const outcome = await skiff.run(["bake", "--progress", "plain", "--metadata-file", metadata], {
    cwd,
    env: environment,
  })
  expect(outcome).toMatchObject({ code: 0 })
  expect(await shown("bake-app:v2", "/base")).toBe("base\nME")
  expect(await shown("bake-tool:two", "/n")).toBe("two")
  const written = JSON.parse(readFileSync(metadata, "utf8")) as Record<string, Record<string, unknown>>
  expect(Object.keys(written).toSorted()).toEqual(["app", "base", "tool-one", "tool-two"])
  expect(written.app).toMatchObject({ "image.name": "bake-app:v2" })
}, 60_000)

test("the services of a compose file are targets", async () => {
  const cwd = makeContext(skiff, {
    "compose.yaml": 'services:\n  web:\n    image: bake-web\n    build: { context: ., args: { A: "1" } }\n',
    Dockerfile: "FROM busybox\nARG A\nRUN echo $A > /a\n",
  })
  expect(await skiff.run(["buildx", "bake", "--set", "web.args.A=2", "web"], { cwd })).toMatchObject({ code: 0 })
  expect(await shown("bake-web", "/a")).toBe("2")
}, 60_000)

test("a step that fails names its target, and an entitlement is not had without asking", async () => {
  const cwd = makeContext(skiff, {
    "docker-bake.json": JSON.stringify({
      target: { bad: { "dockerfile-inline": "FROM busybox\nRUN exit 3\n" }, host: { network: "host" } },
    }),
  })
  const failed = await skiff.run(["bake", "bad"], { cwd })
  expect(failed.code).not.toBe(0)
  expect(failed.stderr).toContain("target bad: ")
  const refused = await skiff.run(["bake", "host"], { cwd })
  expect(refused.stderr).toContain("entitlement network.host")
}, 60_000)
