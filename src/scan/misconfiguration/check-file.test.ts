import { describe, expect, test } from "bun:test"
import { checkConfigFile, checkNamedFile, configFileKind } from "./check-file.ts"

const of = (text: string) => checkConfigFile("yaml", text, "/x.yaml")
const ids = (text: string) => [...new Set(of(text).found.map(({ id }) => id))].toSorted()

const GOOD_SERVICE = `
    image: web:1.2
    user: "1000"
    read_only: true
    mem_limit: 64m
    cpus: 0.5
    security_opt: [no-new-privileges]
    healthcheck: {test: [CMD, "true"]}
`
const compose = (more: string) => `services:\n  web:${GOOD_SERVICE}${more}`

/** Rule, what breaks it alone, what nearly does. */
const COMPOSE: [id: string, bad: string, good: string][] = [
  ["CIS-5.4", "    cap_add: [SYS_ADMIN]", "    cap_add: [NET_BIND_SERVICE]"],
  ["SKF010", "    cap_add: [cap_net_admin]", "    cap_add: [chown]"],
  ["CIS-5.5", "    privileged: true", "    privileged: false"],
  ["CIS-5.6", '    volumes: ["/etc/:/host"]', '    volumes: ["/etc/app:/etc/app"]'],
  ["CIS-5.7", "    command: /usr/sbin/sshd -D", "    command: echo no-sshd"],
  ["CIS-5.8", '    ports: ["127.0.0.1:53:53/udp"]', '    ports: ["127.0.0.1:1053:53/udp"]'],
  ["SKF011", '    ports: ["127.0.0.1:2222:22"]', '    ports: ["127.0.0.1:2222:2222"]'],
  ["CIS-5.10", "    network_mode: host", "    network_mode: none"],
  ["CIS-5.14", '    ports: ["8080:80"]', "    ports: [{target: 80, published: 8080, host_ip: 127.0.0.1}]"],
  ["CIS-5.15", "    restart: on-failure", "    restart: on-failure:5"],
  ["CIS-5.16", "    pid: host", "    pid: service:db"],
  ["CIS-5.17", "    ipc: host", "    ipc: private"],
  ["CIS-5.18", '    devices: ["/dev/sda:/dev/sda"]', "    devices: []"],
  ["CIS-5.20", '    volumes: ["/srv:/srv:shared"]', '    volumes: ["/srv:/srv:rslave"]'],
  ["CIS-5.21", "    uts: host", "    uts: private"],
  ["CIS-5.25", "    cgroup: host", "    cgroup: private"],
  ["CIS-5.29", "    pids_limit: -1", "    pids_limit: 100"],
  ["CIS-5.31", "    userns_mode: host", "    userns_mode: auto"],
  [
    "CIS-5.32",
    '    volumes: ["/run/docker.sock:/var/run/docker.sock:ro"]',
    '    volumes: ["/run/app.sock:/run/app.sock"]',
  ],
]

describe("compose files", () => {
  for (const [id, bad, good] of COMPOSE)
    test(`${id}: ${bad.trim()}`, () => {
      expect(ids(compose(bad))).toEqual([id])
      expect(ids(compose(good))).toEqual([])
    })

  test("what a service lacks", () => {
    expect(
      ids(
        "services:\n  a:\n    image: web\n    user: root\n    healthcheck: {disable: true}\n    security_opt: [seccomp:unconfined, label:disable, apparmor=unconfined]",
      ),
    ).toEqual("CIS-4.1 CIS-5.11 CIS-5.12 CIS-5.13 CIS-5.2 CIS-5.22 CIS-5.26 CIS-5.27 CIS-5.28 CIS-5.3".split(" "))
  })

  test("say service and line, through anchors and merges", () => {
    const { found } = of(`x: &x\n  privileged: true\nservices:\n  web:\n    <<: *x\n${GOOD_SERVICE.slice(1)}`)
    expect(found).toMatchObject([{ id: "CIS-5.5", kind: "compose", place: { path: "/x.yaml", startLine: 2 } }])
    expect(found[0]?.message).toStartWith("web: ")
  })
})

const GOOD_POD = `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}, runAsUser: 20000, runAsGroup: 20000}
  containers:
    - name: web
      image: web:1.2
      resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1, memory: 1Gi}}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
`

const role = (rules: string) =>
  `apiVersion: v1\nkind: List\nitems:\n- apiVersion: r/v1\n  kind: ClusterRole\n  rules: [${rules}]`

describe("Kubernetes' files", () => {
  test("a pod that is as the rules want it", () => expect(of(GOOD_POD)).toEqual({ types: ["kubernetes"], found: [] }))

  const CHANGES: [id: string, from: string, to: string][] = [
    ["KSV001", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"],
    ["KSV008", "  containers:", "  hostIPC: true\n  containers:"],
    ["KSV009", "  containers:", "  hostNetwork: true\n  containers:"],
    ["KSV010", "  containers:", "  hostPID: true\n  containers:"],
    ["KSV011", "limits: {cpu: 1, ", "limits: {"],
    ["KSV012", "runAsNonRoot: true", "runAsNonRoot: false"],
    ["KSV013", "web:1.2", "web"],
    ["KSV014", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"],
    ["KSV015", "requests: {cpu: 1, ", "requests: {"],
    ["KSV016", "requests: {cpu: 1, memory: 1Gi}", "requests: {cpu: 1}"],
    ["KSV017", "        capabilities", "        privileged: true\n        capabilities"],
    ["KSV018", "limits: {cpu: 1, memory: 1Gi}", "limits: {cpu: 1}"],
    ["KSV020", "runAsUser: 20000", "runAsUser: 1000"],
    ["KSV021", "runAsGroup: 20000", "runAsGroup: 1000"],
    ["KSV023", "  containers:", "  volumes: [{name: a, hostPath: {path: /srv}}]\n  containers:"],
    ["KSV024", "      resources", "      ports: [{containerPort: 80, hostPort: 80}]\n      resources"],
    ["KSV025", "securityContext: {run", "securityContext: {seLinuxOptions: {type: spc_t}, run"],
    ["KSV026", "securityContext: {run", "securityContext: {sysctls: [{name: kernel.msgmax, value: '1'}], run"],
    ["KSV027", "        capabilities", "        procMount: Unmasked\n        capabilities"],
    ["KSV036", "automountServiceAccountToken: false", "automountServiceAccountToken: true"],
    ["KSV037", "namespace: shop", "namespace: kube-system"],
    ["KSV110", "namespace: shop", "namespace: default"],
  ]
  CHANGES.push(
    ["KSV002", "        capabilities", "        appArmorProfile: {type: Unconfined}\n        capabilities"],
    ["KSV007", "  containers:", "  hostAliases: [{ip: 1.2.3.4, hostnames: [a]}]\n  containers:"],
    ["KSV028", "  containers:", "  volumes: [{name: a, gitRepo: {repository: x}}]\n  containers:"],
    ["KSV102", "image: web:1.2", "image: gcr.io/tiller:2.1"],
    ["KSV103", "        capabilities", "        windowsOptions: {hostProcess: true}\n        capabilities"],
    ["KSV116", "securityContext: {run", "securityContext: {fsGroup: 0, run"],
  )
  for (const [id, from, to] of CHANGES) test(id, () => expect(ids(GOOD_POD.replace(from, to))).toEqual([id]))

  test("those that come together", () => {
    expect(ids(GOOD_POD.replace("drop: [ALL]", "drop: [CHOWN]"))).toEqual(["KSV003", "KSV106"])
    expect(ids(GOOD_POD.replace("drop: [ALL]", "drop: [ALL], add: [SYS_ADMIN]"))).toEqual([
      "KSV005",
      "KSV022",
      "KSV106",
    ])
    // as Trivy: not named is not filtered
    for (const profile of ["seccompProfile: {type: Unconfined}, ", ""])
      expect(ids(GOOD_POD.replace("seccompProfile: {type: RuntimeDefault}, ", profile))).toEqual(["KSV030", "KSV104"])
    expect(ids(GOOD_POD.replace("runAsUser: 20000", "runAsUser: 0"))).toEqual(["KSV020", "KSV105"])
    expect(
      ids(GOOD_POD.replace("  containers:", "  volumes: [{hostPath: {path: /run/docker.sock}}]\n  containers:")),
    ).toEqual(["KSV006", "KSV023"])
  })

  test("pods of workloads, of lists, and roles", () => {
    const pod = GOOD_POD.split("\n").slice(4).join("\n").replaceAll("\n", "\n      ").replace("1.2", "latest")
    const deployment = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: b}\nspec:\n  template:\n    spec:\n      ${pod}`
    expect(of(deployment).found).toMatchObject([{ id: "KSV013", place: { startLine: 11 } }])
    expect(ids(role(`{verbs: ["*"], resources: ["*"]}`))).toEqual(["KSV044", "KSV046"])
    expect(ids(role(`{verbs: ["*"], resources: [pods]}`))).toEqual(["KSV045", "KSV048"])
    expect(ids(role(`{verbs: [get], resources: ["*"]}`))).toEqual(["KSV046"])
    expect(ids(role(`{verbs: [get], resources: [secrets]}`))).toEqual(["KSV041"])
  })

  // each of the ids is what Trivy 0.45 says of the same rule
  test.each([
    ["{verbs: [delete], resources: [pods/log]}", "KSV042"],
    ["{verbs: [impersonate], resources: [users]}", "KSV043"],
    ["{verbs: [create], resources: [nodes/proxy]}", "KSV047"],
    ["{verbs: [create], resources: [deployments]}", "KSV048"],
    ["{verbs: [update], resources: [configmaps]}", "KSV049"],
    ["{verbs: [create], resources: [rolebindings]}", "KSV050"],
    ["{verbs: [create], resources: [pods/exec]}", "KSV053"],
    ["{verbs: [update], resources: [ingresses]}", "KSV056"],
    ["{verbs: [create], resources: [mutatingwebhookconfigurations]}", "KSV114"],
    ["{verbs: [get, list], resources: [pods, configmaps]}", undefined],
  ])("of a role with %s", (grant, id) => expect(ids(role(grant))).toEqual(id === undefined ? [] : [id]))

  test("of roles of a namespace, bindings, configmaps and services", () => {
    const own = (rules: string) => ids(role(rules).replace("ClusterRole", "Role"))
    expect(own(`{verbs: [get], resources: ["*"]}`)).toEqual(["KSV112"])
    expect(own(`{verbs: [get], resources: [secrets]}`)).toEqual(["KSV113"])
    const binding = "kind: ClusterRoleBinding\napiVersion: r/v1\n"
    expect(ids(`${binding}roleRef: {name: cluster-admin}\nsubjects: [{name: web}]`)).toEqual(["KSV111"])
    expect(ids(`${binding}roleRef: {name: web}\nsubjects: [{name: "system:anonymous"}]`)).toEqual(["KSV122"])
    expect(ids("kind: ConfigMap\napiVersion: v1\ndata: {password: x, aws_access_key_id: y, url: z}")).toEqual([
      "KSV1010",
      "KSV109",
    ])
    expect(ids("kind: Service\napiVersion: v1\nspec: {externalIPs: [1.2.3.4]}")).toEqual(["KSV108"])
  })
})

describe("files", () => {
  test("by name", () => {
    expect(["Dockerfile", "web.Dockerfile", "Containerfile.dev", "Dockerfile-x"].map(configFileKind)).toEqual(
      Array(4).fill("dockerfile"),
    )
    expect(["Dockerfile.dockerignore", "a.yml", "a.json", "dockerfiles"].map(configFileKind)).toEqual([
      undefined,
      "yaml",
      undefined,
      undefined,
    ])
  })

  test("that cannot be read are said with the reason, others are none of ours", () => {
    expect(checkConfigFile("dockerfile", "RUN x", "/Dockerfile").unread).toContain("no build stage")
    expect(of("apiVersion: v1\nkind: {{ .x }}\n  a: b: c")).toEqual({
      types: [],
      found: [],
      unread: "it is a template",
    })
    expect(of("a: [b")).toEqual({ types: [], found: [] })
    expect(of("a: b")).toEqual({ types: [], found: [] })
  })

  test("aliases in circles and bombs end", () => {
    const bomb = [
      "a0: &a0 {x: y}",
      ...Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} {<<: [*a${n}, *a${n}]}`),
    ].join("\n")
    // all of them would be a billion
    expect(of(`${bomb}\nservices: {web: *a30}`).unread).toBe("it has too many aliases")
  })
})

test("a file of very many faults tells of some, and that there are more", () => {
  const pods = "kind: Pod\napiVersion: v1\nspec: {containers: [{}]}\n---\n".repeat(20_000)
  const { found, unread } = checkConfigFile("yaml", pods, "/k.yaml")
  expect(found).toHaveLength(2_000)
  expect(unread).toBe("more than 2000 faults are in it")
})

test("a kind that every object has a field of hides nothing of what stands beside it", () => {
  const two = "kind: constructor\napiVersion: v1\n---\nkind: Pod\napiVersion: v1\nspec: {containers: [{}]}\n"
  expect(checkConfigFile("yaml", two, "/k.yaml").found.length).toBeGreaterThan(5)
})

test("a finding quotes the lines that it is about, without their secrets; what there are no rules for is said", () => {
  const { found } = checkNamedFile("Dockerfile", 'FROM debian:latest\nENV PASSWORD="hunter2hunter2"\nEXPOSE 22\n')
  const codeOf = (id: string) => found.find((each) => each.id === id)?.code
  expect(codeOf("DS001")).toEqual(["FROM debian:latest"])
  expect(codeOf("DS004")).toEqual(["EXPOSE 22"])
  expect(JSON.stringify(found)).not.toContain("hunter2")
  expect(checkNamedFile("stack.yaml", "AWSTemplateFormatVersion: '2010-09-09'\nResources: {}\n").unread).toContain(
    "CloudFormation",
  )
})
