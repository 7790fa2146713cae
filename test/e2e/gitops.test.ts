/** A directory of a real git repository, kept true: commits, drift, broken ones, signatures, charts. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test"
import { spawnSync, type ChildProcess } from "node:child_process"
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { serveGit } from "../support/git-server.ts"
import { realClients } from "../support/kubectl.ts"
import { openTestObjects, type TestObjects } from "../support/kube.ts"
import { openStore } from "../support/store.ts"
import { tempDirectory } from "../support/temp-directory.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
let it: TestObjects
let reconcilers: ChildProcess[] = []
let count = 0
beforeAll(async () => {
  await skiff.ok("ps", "-q")
  it = openTestObjects(skiff)
})
afterEach(async () => {
  for (const reconciler of reconcilers)
    if (reconciler.exitCode === null && reconciler.signalCode === null) await ended(reconciler, "SIGTERM")
  reconcilers = []
  await it.clear()
}, 60_000)
afterAll(() => it[Symbol.dispose]())

const kube = (...args: string[]): Promise<string> => skiff.ok("kube", ...args)

/** As the user of this run: git refuses what is another's. */
function asUser(words: readonly string[], env: Record<string, string> = {}): string {
  const [program = "", ...rest] = [...user.prefix, ...words]
  const { status, stdout, stderr } = spawnSync(program, rest, {
    encoding: "utf8",
    cwd: skiff.directory,
    env: { ...skiff.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", ...env },
  })
  if (status !== 0) throw new Error(`${words.join(" ")}: ${stderr}`)
  return stdout.trim()
}

const sign = (name: string) => ["-c", "gpg.format=ssh", "-c", `user.signingKey=${name}`]

class TestRepository {
  readonly path = join(skiff.directory, `repository-${count++}`)

  constructor() {
    asUser(["git", "init", "-q", "-b", "main", this.path])
  }

  git(...words: string[]): string {
    const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    return asUser(["git", "-C", this.path, ...identity, ...words])
  }

  /** Files by their names; undefined takes one away. Gives the commit. */
  commit(files: Record<string, string | undefined>, subject = "change"): string {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.path, name)
      if (text === undefined) {
        rmSync(path)
        continue
      }
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
      chownSync(dirname(path), user.uid, user.gid)
    }
    this.git("add", "-A")
    this.git("commit", "-q", "-m", subject)
    return this.git("rev-parse", "HEAD")
  }
}

const configMap = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {value: "${value}"}\n`
const value = (name: string) => kube("get", "configmap", name, "-o", "jsonpath={.data.value}")
const once = (repository: TestRepository, ...flags: string[]) =>
  skiff.run(["gitops", "run", repository.path, "--once", ...flags])

/** Keeps it; with its status page. */
async function keep(
  repository: TestRepository,
  ...flags: string[]
): Promise<{ reconciler: ChildProcess; url: string }> {
  const reconciler = skiff.spawn([
    "gitops",
    "run",
    repository.path,
    "--interval",
    "1s",
    "--status-address",
    "127.0.0.1:0",
    ...flags,
  ])
  reconcilers.push(reconciler)
  let told = ""
  reconciler.stderr?.on("data", (chunk: Buffer) => (told += chunk.toString()))
  const url = await eventually(() => {
    const [found] = /http:\/\/127\.0\.0\.1:\d+\//.exec(told) ?? []
    if (found === undefined) throw new Error(`no status page: ${told}`)
    return found
  })
  return { reconciler, url }
}

async function ended(reconciler: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const end = new Promise((resolve) => reconciler.once("exit", resolve))
  reconciler.kill(signal)
  await end
}

interface Status {
  state: string
  message?: string
  applied?: { commit: string }
  driftCorrected: number
  events: { reason: string }[]
}
const statusOf = async (url: string): Promise<Status> => (await (await fetch(`${url}status.json`)).json()) as Status
const stateIs = (url: string, state: string, commit?: string) =>
  eventually(async () => {
    const status = await statusOf(url)
    expect([status.state, status.message]).toEqual([state, state === "synced" ? undefined : expect.any(String)])
    if (commit !== undefined) expect(status.applied?.commit).toBe(commit)
    return status
  })

test("a commit is applied, the next one changes and prunes, and what others change is put back", async () => {
  const repository = new TestRepository()
  const first = repository.commit({
    "deploy/one.yaml": configMap("one", "1"),
    "deploy/more/two.yaml": configMap("two", "1"),
    "deploy/more/kept.yaml": configMap("kept", "1").replace(
      "name: kept",
      "name: kept, annotations: {skiff.dev/gitops-prune: disabled}",
    ),
    "README.yaml": "no: object\n",
  })
  const { url } = await keep(repository, "--path", "deploy")
  await stateIs(url, "synced", first)
  expect(await value("two")).toBe("1")
  const start = Date.now()
  const second = repository.commit({
    "deploy/one.yaml": configMap("one", "2"),
    "deploy/more/two.yaml": undefined,
    "deploy/more/kept.yaml": undefined,
  })
  await stateIs(url, "synced", second)
  expect(Date.now() - start).toBeLessThan(30_000)
  expect(await kube("get", "configmaps", "-l", "skiff.dev/gitops", "-o", "name")).toBe("configmap/kept\nconfigmap/one")
  await kube("patch", "configmap", "one", "--type", "merge", "-p", '{"data":{"value":"drift","other":"stays"}}')
  await eventually(async () => expect(await value("one")).toBe("2"))
  expect(await kube("get", "configmap", "one", "-o", "jsonpath={.data.other}")).toBe("stays")
  await kube("delete", "configmap", "one")
  await eventually(async () => expect(await value("one")).toBe("2"))
  expect((await statusOf(url)).driftCorrected).toBe(2)
  expect(await kube("events")).toContain("DriftCorrected")
}, 90_000)

test("a broken commit is told of with its lines, and nothing of it is applied, also by one that was killed before", async () => {
  const repository = new TestRepository()
  const good = repository.commit({ "one.yaml": configMap("one", "1") })
  const { reconciler, url } = await keep(repository)
  await stateIs(url, "synced", good)
  repository.commit({
    "one.yaml": configMap("one", "2"),
    "two.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: two}\nspec: {containers: [{name: UPPER}]}\n",
  })
  const { message } = await stateIs(url, "broken", good)
  expect(message).toContain("two.yaml:1: pod/two: ")
  expect(await value("one")).toBe("1")
  await ended(reconciler, "SIGKILL")
  await kube("patch", "configmap", "one", "--type", "merge", "-p", '{"data":{"value":"drift"}}')
  const again = await keep(repository)
  await stateIs(again.url, "broken", good)
  await eventually(async () => expect(await value("one")).toBe("1"))
  const repaired = repository.commit({ "one.yaml": configMap("one", "3"), "two.yaml": undefined })
  await stateIs(again.url, "synced", repaired)
  expect(await value("one")).toBe("3")
  // an empty directory is a fault, too
  repository.commit({ "one.yaml": undefined, README: "" })
  await stateIs(again.url, "broken", repaired)
  expect(await value("one")).toBe("3")
}, 90_000)

test("one process keeps a repository; the page is the loopback's own, and shows what is hostile as text", async () => {
  const repository = new TestRepository()
  repository.commit({ "one.yaml": configMap("one", "1") }, "<script>alert(1)</script>")
  const { url } = await keep(repository)
  await stateIs(url, "synced")
  const page = await (await fetch(url)).text()
  expect(page).toContain("&lt;script&gt;")
  expect(page).not.toContain("<script>")
  expect((await fetch(url, { method: "POST" })).status).toBe(405)
  expect((await fetch(url, { headers: { host: "rebound.example" } })).status).toBe(421)
  const twin = await once(repository)
  expect([twin.code, twin.stderr]).toEqual([1, expect.stringContaining("another process keeps this repository")])
  const wide = await once(repository, "--status-address", "0.0.0.0:0")
  expect(wide.stderr).toContain("an address of the loopback")
}, 60_000)

test("only commits that an allowed signer signed are applied, by SSH and by GPG", async () => {
  const repository = new TestRepository()
  const [key, stranger] = ["key", "stranger"].map((name) => {
    const path = join(skiff.directory, `${name}-${count++}`)
    asUser(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path])
    return path
  }) as [string, string]
  const signers = join(skiff.directory, "allowed_signers")
  const publicKey = asUser(["cat", `${key}.pub`])
  writeFileSync(signers, `ada@example.org ${publicKey}\n`)
  const signed = (text: string, name: string) => {
    writeFileSync(join(repository.path, "one.yaml"), configMap("one", text))
    repository.git("add", "-A")
    repository.git(...sign(name), "commit", "-q", "-S", "-m", text)
  }
  signed("1", key)
  expect(await once(repository, "--verify-signatures", signers)).toMatchObject({ code: 0, stderr: "" })
  repository.commit({ "one.yaml": configMap("one", "2") })
  const unsigned = await once(repository, "--verify-signatures", signers)
  expect([unsigned.code, unsigned.stdout]).toEqual([1, expect.stringContaining("is not signed by any of")])
  signed("3", stranger)
  expect((await once(repository, "--verify-signatures", signers)).code).toBe(1)
  expect(await value("one")).toBe("1")
  const home = join(skiff.home, "gnupg")
  const gpg = (...words: string[]) => asUser(["gpg", "--homedir", home, "--batch", "--quiet", ...words])
  asUser(["mkdir", "-m", "700", home])
  gpg("--passphrase", "", "--quick-generate-key", "ada@example.org", "ed25519", "sign", "never")
  const keyring = join(skiff.directory, "keyring.asc")
  writeFileSync(keyring, `${gpg("--armor", "--export")}\n`)
  writeFileSync(join(repository.path, "one.yaml"), configMap("one", "4"))
  const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "user.signingKey=ada@example.org"]
  asUser(["git", "-C", repository.path, ...identity, "commit", "-q", "-a", "-S", "-m", "by gpg"], { GNUPGHOME: home })
  asUser(["gpgconf", "--homedir", home, "--kill", "all"])
  expect((await once(repository, "--verify-signatures", signers)).code).toBe(1)
  expect(await once(repository, "--verify-signatures", keyring)).toMatchObject({ code: 0 })
  expect(await value("one")).toBe("4")
}, 90_000)

test("a kustomization is built, a chart rendered or refused by name, and neither leads out of the repository", async () => {
  const repository = new TestRepository()
  repository.commit({
    "base/kustomization.yaml": "resources: [one.yaml]\n",
    "base/one.yaml": configMap("one", "1"),
    "overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: test-\nnamespace: shop\n",
    "namespace/shop.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
    "deploy/kustomization.yaml": "resources: [../namespace/shop.yaml]\n",
  })
  await kube("create", "namespace", "shop")
  expect(await once(repository, "--path", "overlay")).toMatchObject({ code: 0 })
  expect(await kube("get", "configmap", "test-one", "-n", "shop", "-o", "jsonpath={.data.value}")).toBe("1")
  await kube("delete", "namespace", "shop")
  repository.commit({ "overlay/kustomization.yaml": "resources: [../../../../../../../etc]\n" })
  expect((await once(repository, "--path", "overlay")).stdout).toContain("is not in or below")
  expect((await once(repository, "--path", "../x")).stdout).toContain("leads out of the repository")
  symlinkSync("/etc", join(repository.path, "link"))
  repository.commit({})
  expect((await once(repository, "--path", "link")).stdout).toContain('has no directory "link"')
  const chart = join(import.meta.dir, "../../examples/kubernetes/apache")
  cpSync(chart, join(repository.path, "chart"), { recursive: true })
  chownSync(join(repository.path, "chart"), user.uid, user.gid)
  repository.commit({ "broken/Chart.yaml": "apiVersion: v2\nname: chart\n" })
  const bin = join(skiff.directory, "bin")
  expect((await once(repository, "--path", "chart")).stdout).toContain("helm is not installed")
  const clients = realClients(tempDirectory("skiff-helm-"))
  if (clients === undefined) return
  mkdirSync(bin)
  copyFileSync(clients.helm, join(bin, "helm"))
  chmodSync(join(bin, "helm"), 0o755)
  const helm = (path: string) =>
    skiff.run(["gitops", "run", repository.path, "--once", "--path", path], {
      env: { PATH: `${bin}:${user.env.PATH}` },
    })
  const rendered = await helm("chart")
  expect([rendered.code, rendered.stdout]).toEqual([0, expect.stringContaining("Applied")])
  expect(await kube("get", "deploy,svc,ing,cm,job", "-l", "skiff.dev/gitops", "-o", "name")).toBe(
    "deployment.apps/chart\nservice/chart\ningress.networking.k8s.io/chart\nconfigmap/chart-page",
  )
  const broken = await helm("broken")
  expect([broken.code, broken.stdout]).toEqual([
    1,
    expect.stringMatching(/BrokenCommit.*helm template of "broken" failed/),
  ])
  await kube("delete", "ingress", "chart")
}, 120_000)

test("a repository is fetched by https with a password, or by ssh, and applied to another cluster", async () => {
  const repository = new TestRepository()
  repository.commit({ "one.yaml": configMap("one", "1") })
  const forge = join(skiff.directory, "forge")
  asUser(["git", "clone", "-q", "--bare", repository.path, join(forge, "shop.git")])
  const kubeconfig = join(skiff.directory, "kubeconfig")
  const server = skiff.spawn(["kube", "serve", "--listen", "127.0.0.1:0", "--write-kubeconfig", kubeconfig])
  reconcilers.push(server)
  await eventually(() => existsSync(kubeconfig))
  const cluster = ["--kubeconfig", kubeconfig, "--context", "skiff", "--once"]
  await using git = await serveGit(forge, join(skiff.directory, "certificates"), "ada:secret")
  const run = (address: string, env: Record<string, string>) =>
    skiff.run(["gitops", "run", address, ...cluster], { env })
  const { authority } = git
  chmodSync(dirname(authority), 0o755)
  const trust = { GIT_SSL_CAINFO: authority }
  const address = `${git.url.replace("//", "//ada:secret@")}shop.git`
  const doubted = await run(address, {})
  expect([doubted.code, doubted.stdout]).toEqual([1, expect.stringMatching(/RepositoryUnreachable: .*certificate/)])
  const wrong = await run(address.replace("secret", "guess"), trust)
  expect([wrong.code, wrong.stdout]).toEqual([1, expect.stringContaining("Authentication failed")])
  expect(wrong.stdout).not.toContain("guess")
  expect(await run(address, trust)).toMatchObject({ code: 0, stdout: expect.stringContaining("Applied") as string })
  expect(await value("one")).toBe("1")
  // in place of sshd: what git asks a host for is run here
  const bin = join(skiff.directory, "ssh-bin")
  mkdirSync(bin)
  writeFileSync(
    join(bin, "ssh"),
    `#!/bin/sh\nwhile [ "$1" != git@forge ]; do shift; done\nshift\ncd ${forge} && eval "$1"\n`,
  )
  chmodSync(join(bin, "ssh"), 0o755)
  repository.commit({ "one.yaml": configMap("one", "2") })
  asUser(["git", "-C", repository.path, "push", "-q", join(forge, "shop.git"), "main"])
  const name = ["--name", "by-ssh"]
  await kube("delete", "configmap", "one")
  const ssh = await skiff.run(["gitops", "run", "git@forge:shop.git", ...cluster, ...name], {
    env: { PATH: `${bin}:${user.env.PATH}` },
  })
  expect([ssh.code, ssh.stdout]).toEqual([0, expect.stringContaining("Applied")])
  expect(await value("one")).toBe("2")
}, 120_000)

test("a namespace and what lies in it come of one commit", async () => {
  const repository = new TestRepository()
  repository.commit({
    "a.yaml": configMap("one", "1").replace("name: one", "name: one, namespace: fresh"),
    "z.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: fresh}\n",
  })
  expect(await once(repository)).toMatchObject({ code: 0 })
  expect(await kube("get", "configmap", "one", "-n", "fresh", "-o", "jsonpath={.data.value}")).toBe("1")
  await kube("delete", "namespace", "fresh")
}, 60_000)

test("an address that git would obey is refused", async () => {
  for (const address of ["ext::sh -c touch% /tmp/x", "--upload-pack=touch", "https://-x/y.git", "file:///etc"]) {
    const { code, stderr } = await skiff.run(["gitops", "run", "--once", "--", address])
    expect([address, code !== 0, /git address|no git repository/.test(stderr)]).toEqual([address, true, true])
  }
}, 30_000)
