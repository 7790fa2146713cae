/** Networks in the words of Docker and of Podman: errors, exit codes, documents and lists that scripts read. One user is enough. */
import { ten } from "../support/ranges.ts"
import { beforeAll, describe, expect, test } from "bun:test"
import { openStore } from "../support/store.ts"

const skiff = openStore()
type Tool = "docker" | "podman"
const as = (tool: Tool, ...args: string[]) => skiff.run(args, { env: { SKIFF_COMPAT: tool } })
const ask = async (tool: Tool, ...args: string[]) => (await as(tool, ...args)).stdout.trimEnd()
let user = ""

beforeAll(async () => {
  const flags = ["--subnet", `${ten(87)}.0.0/24`, "--label", "a=b", "-o", "mtu=1400"]
  expect((await as("podman", "network", "create", ...flags, "taken")).code).toBe(0)
  user = await skiff.ok("run", "-d", "--name", "user", "--network", "taken", "busybox", "sleep", "1000")
})

interface Row {
  args: string[]
  podman: [code: number, text: string]
  docker: [code: number, text: string]
}

const daemon = (text: string) => `Error response from daemon: ${text}\n`
const rows: Row[] = [
  {
    args: ["create", "taken"],
    podman: [125, "Error: network name taken already used: network already exists\n"],
    docker: [1, daemon("network with name taken already exists")],
  },
  {
    args: ["create", "--subnet", `${ten(87)}.0.0/25`, "other"],
    podman: [125, `Error: subnet ${ten(87)}.0.0/25 is already used on the host or by another config\n`],
    docker: [1, daemon("invalid pool request: Pool overlaps with other one on this address space")],
  },
  {
    args: ["create", "host"],
    podman: [125, 'Error: cannot create network with name "host" because it conflicts with a valid network mode\n'],
    docker: [1, daemon("operation is not permitted on predefined host network")],
  },
  {
    args: ["create", "--subnet", "ten", "other"],
    podman: [125, "Error: invalid CIDR address: ten"],
    docker: [1, daemon('invalid subnet "ten"')],
  },
  {
    args: ["create", "--subnet", `${ten(88)}.0.0/24`, "--gateway", `${ten(99)}.0.1`, "other"],
    podman: [125, `Error: gateway ${ten(99)}.0.1 not in subnet ${ten(88)}.0.0/24`],
    docker: [1, daemon(`gateway ${ten(99)}.0.1 not in subnet ${ten(88)}.0.0/24`)],
  },
  {
    args: ["create", "-d", "none-such", "other"],
    podman: [125, "Error: unsupported driver none-such: invalid argument\n"],
    docker: [1, daemon('unsupported network driver "none-such"')],
  },
  {
    args: ["rm", "absent"],
    podman: [1, "Error: unable to find network with name or ID absent: network not found\n"],
    docker: [1, daemon("network absent not found")],
  },
  {
    args: ["rm", "bridge"],
    podman: [125, "Error: default network podman cannot be removed\n"],
    docker: [1, daemon("bridge is a pre-defined network and cannot be removed")],
  },
  {
    args: ["rm", "taken"],
    podman: [
      2,
      'Error: "taken" has associated containers with it. Use -f to forcibly delete containers and pods: network is being used\n',
    ],
    docker: [1, daemon('error while removing network: network taken has active endpoints (name:"user" id:"USER")')],
  },
  {
    args: ["connect", "taken", "user"],
    podman: [125, "Error: container USER"],
    docker: [1, daemon("endpoint with name user already exists in network taken")],
  },
  {
    args: ["disconnect", "bridge", "user"],
    podman: [125, "Error: container user is not connected to network bridge\n"],
    docker: [1, "Error response from daemon: container USER"],
  },
  {
    args: ["connect", "absent", "user"],
    podman: [125, "Error: unable to find network with name or ID absent: network not found\n"],
    docker: [1, daemon("network absent not found")],
  },
  {
    args: ["inspect", "absent"],
    podman: [125, "Error: network absent: unable to find network with name or ID absent: network not found\n"],
    docker: [1, daemon("network absent not found")],
  },
]

describe("errors", () => {
  for (const { args, podman, docker } of rows)
    for (const [tool, [code, text]] of [
      ["podman", podman],
      ["docker", docker],
    ] as const)
      test(`${tool} network ${args.join(" ")}`, async () => {
        const outcome = await as(tool, "network", ...args)
        expect(outcome.code).toBe(code)
        expect(outcome.stderr).toStartWith(text.replace("USER", user.slice(0, 12)))
      })
})

describe("as podman", () => {
  test("the default network is called podman, and host and none are no networks", async () => {
    const names = (await ask("podman", "network", "ls", "--format", "{{.Name}}")).split("\n")
    expect(names).toEqual(expect.arrayContaining(["podman", "taken"]))
    for (const name of ["bridge", "host", "none"]) expect(names).not.toContain(name)
    expect((await as("podman", "network", "exists", "podman")).code).toBe(0)
    expect((await as("podman", "network", "exists", "host")).code).toBe(1)
    expect(await ask("podman", "network", "inspect", "-f", "{{.Name}} {{.Driver}}", "podman")).toBe("podman bridge")
  })

  test("create prints the name, and clears host bits; one without a name is podman1", async () => {
    expect(await ask("podman", "network", "create", "--subnet", `${ten(88)}.5.7/24`, "cleared")).toBe("cleared")
    expect(await ask("podman", "network", "inspect", "-f", "{{range .Subnets}}{{.Subnet}}{{end}}", "cleared")).toBe(
      `${ten(88)}.5.0/24`,
    )
    expect(await ask("podman", "network", "create")).toBe("podman1")
    for (const name of ["cleared", "podman1"]) expect(await ask("podman", "network", "rm", name)).toBe(name)
  })

  test("inspect has podman's keys, with the containers and their addresses", async () => {
    const [document] = JSON.parse(await ask("podman", "network", "inspect", "taken")) as [Record<string, unknown>]
    expect(document).toMatchObject({
      name: "taken",
      driver: "bridge",
      subnets: [expect.objectContaining({ subnet: `${ten(87)}.0.0/24`, gateway: `${ten(87)}.0.1` })],
      internal: false,
      dns_enabled: true,
      labels: { a: "b" },
      options: { mtu: "1400" },
      ipam_options: { driver: "host-local" },
    })
    expect(document.network_interface).toBeString()
    expect(Date.parse(String(document.created))).toBeGreaterThan(Date.now() - 600_000)
    const containers = document.containers as Record<string, { name: string; interfaces: object }>
    expect(containers[user]?.name).toBe("user")
    expect(JSON.stringify(containers[user]?.interfaces)).toMatch(
      /^\{"eth0":\{"subnets":\[\{"ipnet":"10\.1?87\.0\.\d+\/24"/,
    )
  })

  test("ls gives podman's fields to templates, names to -q, and documents as JSON", async () => {
    const only = ["network", "ls", "--filter", "name=taken"]
    const format = "{{.Name}} {{.Driver}} {{.Labels}} {{.Internal}} {{.DNSEnabled}} {{.Options}} {{.IPAMOptions}}"
    expect(await ask("podman", ...only, "--format", format)).toBe(
      "taken bridge a=b false true map[mtu:1400] map[driver:host-local]",
    )
    expect(await ask("podman", ...only, "-q")).toBe("taken")
    expect(await ask("podman", ...only, "--format", "table {{.Name}}\t{{.Labels}}")).toBe(
      "NAME        LABELS\ntaken       a=b",
    )
    const [document] = JSON.parse(await ask("podman", ...only, "--format", "json")) as [Record<string, unknown>]
    expect(document).toMatchObject({ name: "taken", labels: { a: "b" } })
    expect(document).not.toHaveProperty("containers")
    for (const template of [
      "{{.Subnets}}",
      "{{.NetworkInterface}}",
      "{{.Routes}}",
      "{{.Created}}",
      "{{.ID}}",
      "{{.IPv6Enabled}}",
    ])
      expect((await as("podman", ...only, "--format", template)).code).toBe(0)
    for (const [pattern, found] of [
      ["^tak", "taken"],
      ["ken$", "taken"],
      ["^aken", ""],
      ["[", ""],
    ] as const)
      expect(await ask("podman", "network", "ls", "-q", "--filter", `name=${pattern}`)).toBe(found)
    const wrong = await as("podman", "network", "ls", "--filter", "colour=red")
    expect(wrong.code).toBe(125)
  })

  test("rm -f takes the containers along, and says nothing of what is not there", async () => {
    await as("podman", "network", "create", "busy")
    await as("podman", "run", "-d", "--name", "goes", "--network", "busy", "busybox", "sleep", "100")
    expect(await as("podman", "network", "rm", "-f", "-t", "0", "busy")).toMatchObject({ code: 0, stdout: "busy\n" })
    expect((await as("podman", "container", "exists", "goes")).code).toBe(1)
    expect(await as("podman", "network", "rm", "-f", "absent")).toMatchObject({ code: 0, stdout: "" })
  })
})

describe("as docker", () => {
  test("bridge, host and none are networks that can be listed and inspected", async () => {
    const list = await ask(
      "docker",
      "network",
      "ls",
      "--filter",
      "type=builtin",
      "--format",
      "{{.Name}} {{.Driver}} {{.Scope}}",
    )
    expect(list.split("\n")).toEqual(["bridge bridge local", "host host local", "none null local"])
    const ids = (await ask("docker", "network", "ls", "-q", "--no-trunc")).split("\n")
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{64}$/)
    expect(await ask("docker", "network", "inspect", "-f", "{{.Driver}} {{.Scope}}", "none")).toBe("null local")
  })

  test("create prints the id; ls has docker's row as JSON; inspect its document", async () => {
    const id = await ask("docker", "network", "create", "--internal", "inner")
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    const row = JSON.parse(await ask("docker", "network", "ls", "--filter", "name=inner", "--format", "json")) as object
    expect(row).toMatchObject({
      Name: "inner",
      Driver: "bridge",
      IPv4: "true",
      Internal: "true",
      Scope: "local",
      Labels: "",
    })
    const [document] = JSON.parse(await ask("docker", "network", "inspect", "-v", "inner")) as [object]
    expect(document).toMatchObject({
      Name: "inner",
      Id: id,
      Scope: "local",
      Internal: true,
      Ingress: false,
      Containers: {},
    })
    expect(await ask("docker", "network", "rm", "inner")).toBe("inner")
  })

  test("a network has a name that is asked for", async () => {
    const { code, stderr } = await as("docker", "network", "create")
    expect({ code, stdout: stderr.split("\n")[0] }).toEqual({
      code: 1,
      stdout: "docker: 'docker network create' requires 1 argument",
    })
  })

  test("rm -f only forgives what is not there", async () => {
    expect((await as("docker", "network", "rm", "-f", "taken")).code).toBe(1)
    expect((await as("docker", "network", "rm", "-f", "absent")).code).toBe(0)
    expect((await as("docker", "container", "inspect", "user")).code).toBe(0)
  })
})
