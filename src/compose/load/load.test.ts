import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { loadProject, loadProjectModel, type LoadRequest } from "./load.ts"

let home = ""
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "skiff-compose-"))
})
afterEach(() => rmSync(home, { recursive: true }))

/** Writes files below the test's directory. */
function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true })
    writeFileSync(join(home, name), text)
  }
}

/** Loads from a directory below the test's. */
async function load(directory: string, request: Partial<LoadRequest> = {}) {
  const { project, warnings } = await loadProject({
    currentDirectory: join(home, directory),
    files: [],
    profiles: [],
    environmentFiles: [],
    environment: {},
    ...request,
  })
  return { ...project, warnings: warnings.map(({ message }) => message) }
}

const nameIn = async (request: Partial<LoadRequest>) => (await load("Dir.X", request)).name
const imageIn = async (directory: string, request: Partial<LoadRequest> = {}) =>
  (await load(directory, request)).services.a?.image

const ONE = "services: {a: {image: one}}\n"
const at = (...names: string[]) => names.map((name) => join(home, name))

// each was seen of docker compose 2.40.3
describe("files are found", () => {
  test("in the directory or the nearest above, with the override file beside them", async () => {
    write({ "app/compose.yml": ONE, "app/compose.override.yaml": "services: {a: {tty: true}}", "app/sub/x": "" })
    expect(await load("app/sub")).toMatchObject({
      files: at("app/compose.yml", "app/compose.override.yaml"),
      workingDirectory: join(home, "app"),
      name: "app",
    })
  })

  test("the first of several, with two warnings", async () => {
    write({ "compose.yaml": ONE, "docker-compose.yml": "nonsense" })
    const { files, warnings } = await load("", { projectName: "p" })
    expect(files).toEqual(at("compose.yaml"))
    expect(warnings).toEqual([
      `Found multiple config files with supported names: ${at("compose.yaml", "docker-compose.yml").join(", ")}`,
      `Using ${join(home, "compose.yaml")}`,
    ])
  })

  test("by COMPOSE_FILE, with its own separator, also from .env; by the call they have no override file", async () => {
    write({
      "a.yaml": ONE,
      "d/b.yaml": ONE,
      "compose.yaml": ONE,
      "compose.override.yaml": ONE,
      ".env": "COMPOSE_FILE=d/b.yaml",
    })
    const environment = { COMPOSE_FILE: "a.yaml|d/b.yaml", COMPOSE_PATH_SEPARATOR: "|", COMPOSE_PROJECT_NAME: "p" }
    expect((await load("", { environment })).files).toEqual(at("a.yaml", "d/b.yaml"))
    expect(await load("")).toMatchObject({ files: at("d/b.yaml"), name: "d" })
    expect((await load("", { files: ["compose.yaml"], projectName: "p" })).files).toEqual(at("compose.yaml"))
    await expect(load("", { environment: { COMPOSE_FILE: "no.yaml" } })).rejects.toThrow(
      `stat ${join(home, "no.yaml")}: no such file or directory`,
    )
  })

  test("or not", async () => {
    await expect(load("")).rejects.toThrow("no configuration file provided: not found")
    await expect(load("", { files: ["no.yaml"] })).rejects.toThrow(
      `open ${join(home, "no.yaml")}: no such file or directory`,
    )
    await expect(load("", { files: ["."] })).rejects.toThrow(`read ${home}: is a directory`)
    await expect(load("", { files: ["/dev/zero"] })).rejects.toThrow("has more than 16777216 bytes")
    write({ "empty.yaml": "# nothing\n", "null.yaml": "null\n", "list.yaml": "[]\n" })
    await expect(load("", { files: ["empty.yaml"], projectName: "p" })).rejects.toThrow("empty compose file")
    for (const file of ["null.yaml", "list.yaml"])
      await expect(load("", { files: [file], projectName: "p" })).rejects.toThrow("top-level object must be a mapping")
  })

  test("on standard input, from the current directory", async () => {
    const read = await load("", {
      files: ["-"],
      readStandardInput: async () => "name: P_${V-x}\nservices: {a: {image: x}}",
    })
    expect(read).toMatchObject({ files: ["-"], workingDirectory: home, name: "p_x" })
  })
})

describe("the project's name", () => {
  test("is the given one, COMPOSE_PROJECT_NAME, the last file's, the directory's", async () => {
    write({
      "Dir.X/a.yaml": "name: One\nservices: {}",
      "Dir.X/b.yaml": "name: two$V\nservices: {}",
      "Dir.X/c.yaml": ONE,
    })
    const files = ["a.yaml", "b.yaml", "c.yaml"]
    expect(await nameIn({ files, projectName: "p", environment: { COMPOSE_PROJECT_NAME: "q" } })).toBe("p")
    expect(await nameIn({ files, environment: { COMPOSE_PROJECT_NAME: "q" } })).toBe("q")
    expect(await nameIn({ files, environment: { V: "!3" } })).toBe("two3")
    expect(await nameIn({ files: ["a.yaml"] })).toBe("one")
    expect(await nameIn({ files: ["c.yaml"] })).toBe("dirx")
  })

  test("must be one, and is not repaired where it was given", async () => {
    write({ "___/compose.yaml": ONE })
    await expect(load("___")).rejects.toThrow("project name must not be empty")
    await expect(load("___", { projectName: "A b" })).rejects.toThrow(
      'invalid project name "A b": must consist only of',
    )
  })
})

describe("the environment", () => {
  test("is the process's, then .env of the current directory, then .env of the project's", async () => {
    write({
      "app/compose.yaml": "services: {a: {image: '$A $B $C $COMPOSE_PROJECT_NAME'}}",
      "app/.env": "A=1\nB=1\nC=1",
      "app/sub/.env": "A=2\nB=2",
    })
    expect(await imageIn("app/sub", { environment: { A: "3" } })).toBe("3 2 1 app")
    expect(await imageIn("app/sub", { files: ["../compose.yaml"] })).toBe("1 1 1 app")
    expect(await imageIn("app/sub", { environment: { COMPOSE_DISABLE_ENV_FILE: "1" } })).toBe("   app")
    await expect(imageIn("app/sub", { environment: { COMPOSE_DISABLE_ENV_FILE: "maybe" } })).rejects.toThrow(
      "invalid syntax",
    )
  })

  test("is of other files where such are named, the last one first", async () => {
    write({ "compose.yaml": "services: {a: {image: '$A$B'}}", ".env": "A=0", "x.env": "A=x\nB=x", "y.env": "B=y$A" })
    expect(await imageIn("", { environmentFiles: ["x.env", "y.env"], projectName: "p" })).toBe("xyx")
    expect(await imageIn("", { environment: { COMPOSE_ENV_FILES: "y.env,x.env" }, projectName: "p" })).toBe("xx")
    await expect(imageIn("", { environmentFiles: ["no.env"] })).rejects.toThrow(
      `couldn't find env file: ${join(home, "no.env")}`,
    )
    await expect(imageIn("", { environmentFiles: ["."] })).rejects.toThrow(`${home} is a directory`)
  })
})

describe("extends", () => {
  test("takes a service of another file, whose paths and whose own bases are its own", async () => {
    write({
      "compose.yaml": "services: {a: {extends: {file: sub/b.yaml, service: b}, environment: {A: own}}}",
      "sub/b.yaml": "services: {b: {extends: {file: deep/c.yaml, service: c}, environment: {A: b, B: $V}, build: .}}",
      "sub/deep/c.yaml": "services: {c: {image: c, volumes: ['./d:/d'], environment: {C: c}}}",
    })
    const { services } = await load("", { projectName: "p", environment: { V: "v" } })
    expect(services.a).toMatchObject({
      image: "c",
      environment: { A: "own", B: "v", C: "c" },
      build: { context: join(home, "sub") },
      volumes: [{ type: "bind", source: join(home, "sub/deep/d"), target: "/d" }],
    })
  })

  test("is reset and overridden at every link of a chain", async () => {
    write({
      "compose.yaml": `services:
  a: {image: x, ports: ["80:80"], labels: {l: a}}
  b: {extends: a, ports: !override ["81:81"]}
  c: {extends: b, labels: !reset {}}
`,
    })
    const { services } = await load("", { projectName: "p" })
    expect(services.c?.ports).toMatchObject([{ target: 81, published: "81" }])
    expect(services.c?.labels).toBeUndefined()
  })

  test.each([
    ["services: {a: {extends: zz}}", 'cannot extend service "a" in HOME/compose.yaml: service "zz" not found'],
    ["services: {a: {extends: {file: compose.yaml}}}", "extends.a.service is required"],
    ["services: {a: {extends: {file: no.yaml, service: a}}}", "open HOME/no.yaml: no such file or directory"],
    [
      "services: {a: {extends: b}, b: {extends: a}}",
      "Circular reference:\n  a in HOME/compose.yaml\n  extends b in HOME/compose.yaml\n  extends a in HOME/compose.yaml",
    ],
    ["services: ", "services must be a mapping"],
    ["services: {a: b}", "services.a must be a mapping"],
  ])("%s is refused where it stands", async (text, message) => {
    write({ "compose.yaml": text })
    await expect(load("", { projectName: "p" })).rejects.toThrow(
      `${message.replaceAll("HOME", home)}\n  ${home}/compose.yaml:1:`,
    )
  })
})

describe("include", () => {
  test("loads files as projects of their own: paths, .env, overrides", async () => {
    write({
      "compose.yaml": "include: [i/i.yaml, {path: [j/j.yaml, j/o.yaml], project_directory: ., env_file: [j.env]}]\n",
      "i/i.yaml": "name: other\nservices: {i: {image: 'i$A$B', volumes: ['./d:/d'], labels: {a: '$$x'}}}\nx-own: 1\n",
      "i/.env": "A=1\nB=1\n",
      "j/j.yaml": "services: {j: {image: 'j$C', volumes: ['./d:/d']}}",
      "j/o.yaml": "services: {j: {tty: true}}",
      "j.env": "C=3\n",
    })
    const { services, name, ...rest } = await load("", { projectName: "p", environment: { A: "shell" } })
    expect(services).toMatchObject({
      i: { image: "ishell1", labels: { a: "$x" }, volumes: [{ source: join(home, "i/d") }] },
      j: { image: "j3", tty: true, volumes: [{ source: join(home, "d") }] },
    })
    expect([name, "x-own" in rest]).toEqual(["p", false])
  })

  test.each([
    ["include: foo", "`include` must be a list, got foo"],
    ["include: [no.yaml]", "open HOME/no.yaml: no such file or directory"],
    ["include: [{path: i.yaml, env_file: no}]", "stat HOME/no: no such file or directory"],
    ["include: [{path: i.yaml, env_file: .}]", "HOME is not a file"],
    ["include: [i.yaml]\nservices: {i: {tty: true}}", "services.i conflicts with imported resource"],
    [
      "include: [back.yaml]",
      "include cycle detected:\nHOME/compose.yaml\n include HOME/back.yaml\n include HOME/compose.yaml",
    ],
  ])("%j is refused where it stands", async (text, message) => {
    write({
      "compose.yaml": text,
      "i.yaml": "services: {i: {image: x}}",
      "back.yaml": "include: [compose.yaml]",
    })
    await expect(load("", { projectName: "p" })).rejects.toThrow(
      new RegExp(`^${message.replaceAll("HOME", home).replaceAll("[", "\\[")}\n {2}/`),
    )
  })
})

describe("services are chosen", () => {
  const text = `services:
  a: {image: x, profiles: [p]}
  b: {image: x, depends_on: {a: {condition: service_started, required: false}}, networks: [n]}
  c: {image: x, profiles: [q, p], volumes: ["vv:/v"]}
  d: {image: x, depends_on: [b]}
networks: {n: , m: }
volumes: {vv: , ww: }
`
  test.each<[Partial<LoadRequest>, string[], string[]]>([
    [{}, ["b", "d"], ["default", "n"]],
    [{ profiles: ["p"] }, ["a", "b", "c", "d"], ["default", "n", "vv"]],
    [{ profiles: ["q"] }, ["b", "c", "d"], ["default", "n", "vv"]],
    [{ environment: { COMPOSE_PROFILES: "x, *" } }, ["a", "b", "c", "d"], ["default", "n", "vv"]],
    [{ services: ["b"] }, ["b"], ["n"]],
    [{ services: ["d"] }, ["b", "d"], ["default", "n"]],
    [{ services: ["a"] }, ["a"], ["default"]],
    [{ services: ["b"], allResources: true }, ["b"], ["default", "m", "n", "vv", "ww"]],
  ])("%j", async (request, names, resources) => {
    write({ "compose.yaml": text })
    const { services, networks, volumes } = await load("", { projectName: "p", ...request })
    expect(Object.keys(services).toSorted()).toEqual(names)
    expect([...Object.keys(networks), ...Object.keys(volumes)].toSorted()).toEqual(resources)
  })

  test("that are not there are refused, with the nearest name", async () => {
    write({ "compose.yaml": "services: {web: {image: x}}" })
    await expect(load("", { projectName: "p", services: ["wen"] })).rejects.toMatchObject({
      message: "no such service: wen",
      hint: { nearest: "web" },
    })
  })
})

describe("env files of services", () => {
  test("lie under environment, later ones over earlier ones; raw ones are taken as they are", async () => {
    write({
      "compose.yaml":
        "services: {a: {image: x, env_file: [one, {path: two, format: raw}, {path: no, required: false}], environment: [S, T=own, U], label_file: one}}",
      one: "S=file\nT=file\nV=$W\nX=1\n",
      two: 'X="$W"\n',
    })
    const { services } = await load("", { projectName: "p", environment: { W: "shell" } })
    expect(services.a?.environment).toEqual({ S: null, T: "own", U: null, V: "shell", X: '"$W"' })
    expect(services.a?.labels).toEqual({ S: "file", T: "file", V: "", X: "1" })
  })

  test("files see the service's own environment, after the project's", async () => {
    write({
      "compose.yaml": "services: {a: {image: x, env_file: one, environment: {A: own, B: '', P: own, N: }}}",
      one: "A=file\nP=file\nC=${A}\nD=${B:-none}\nE=$P\nF=${N:-no}\n",
    })
    const { services } = await load("", { environment: { P: "project" } })
    expect(services.a?.environment).toEqual({
      A: "own",
      B: "",
      C: "own",
      D: "none",
      E: "project",
      F: "no",
      N: null,
      P: "own",
    })
  })

  test("keys without a value have the environment's though files are not read", async () => {
    write({ "compose.yaml": "services: {a: {image: x, env_file: no, environment: {A: , B: }}}" })
    const { services } = await load("", { environment: { A: "1" }, skipEnvironmentResolution: true })
    expect(services.a).toMatchObject({ environment: { A: "1", B: null }, env_file: [{ path: join(home, "no") }] })
  })

  test("a model whose variables stay as they are keeps names without a value, and loses such build arguments", async () => {
    write({ "compose.yaml": "services: {a: {build: {args: [A, B=1]}, environment: [A, B=1]}}" })
    const request = { environment: { A: "1" }, skipInterpolation: true }
    const { model } = await loadProjectModel({
      currentDirectory: home,
      files: [],
      profiles: [],
      environmentFiles: [],
      ...request,
    })
    expect(model).toMatchObject({ services: { a: { build: { args: ["B=1"] }, environment: ["A", "B=1"] } } })
  })

  test("must be there for services that are used", async () => {
    write({ "compose.yaml": "services: {a: {image: x, env_file: no}, b: {image: x}}" })
    await expect(load("", { projectName: "p" })).rejects.toThrow(
      `env file ${home}/no not found: stat ${home}/no: no such file`,
    )
    expect(Object.keys((await load("", { projectName: "p", services: ["b"] })).services)).toEqual(["b"])
  })
})
