/** Applications as they are brought: charts by the real helm, with images of Debian's packages. The world outside is asked. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { spawnSync, type ChildProcess } from "node:child_process"
import { chownSync, cpSync, existsSync, mkdtempSync } from "node:fs"
import { join, resolve } from "node:path"
import { realClients } from "../support/kubectl.ts"
import { exampleImage, noMirror } from "../support/shared-image.ts"
import { noLimits, openStore, testUnless } from "../support/store.ts"
import { tempDirectory } from "../support/temp-directory.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const examples = resolve(import.meta.dir, "../../examples")
const unreachable = noMirror()
const clients = unreachable === false ? realClients(tempDirectory("skiff-helm-")) : undefined
const why = unreachable === false ? clients === undefined && "no helm" : unreachable

const skiff = openStore()
const kubeconfig = join(skiff.directory, "kubeconfig")
let server: ChildProcess | undefined

const kube = (...words: string[]) => skiff.ok("kube", ...words)

function client(program: "helm" | "kubectl", ...words: string[]): { code: number; said: string } {
  const { status, stdout, stderr } = spawnSync(clients?.[program] ?? "", words, {
    env: { ...process.env, KUBECONFIG: kubeconfig, HOME: skiff.home },
    encoding: "utf8",
    timeout: 240_000,
  })
  return { code: status ?? -1, said: stdout + stderr }
}

function helm(...words: string[]): string {
  const { code, said } = client("helm", ...words)
  if (code !== 0) throw new Error(`helm ${words.join(" ")}: ${said}`)
  return said
}

const ask = async (port: number, host = "localhost") =>
  (await fetch(`http://127.0.0.1:${port}/`, { headers: { host }, redirect: "manual" })).text()

const site = () => ask(18_092, "apache.test")

/** The examples lie where the test's user may not read. */
function copyOf(example: string): string {
  const directory = mkdtempSync(join(skiff.directory, "example-"))
  cpSync(join(examples, example), directory, { recursive: true })
  chownSync(directory, user.uid, user.gid)
  return directory
}

describe.skipIf(why !== false)(`charts and Debian's packages${why === false ? "" : ` (skipped: ${why})`}`, () => {
  beforeAll(async () => {
    for (const [name, directory] of [
      ["localhost/web:1", "nginx"],
      ["localhost/apache:1", "apache2"],
      ["localhost/mariadb:1", "kubernetes/blog/images/mariadb"],
      ["localhost/wordpress:1", "kubernetes/blog/images/wordpress"],
    ] as const)
      await exampleImage(skiff, name, copyOf(directory))
    server = skiff.spawn(["kube", "serve", "--listen", "127.0.0.1:0", "--write-kubeconfig", kubeconfig])
    await eventually(() => existsSync(kubeconfig))
    // the usual ports are not an ordinary user's
    await kube(
      "create",
      "configmap",
      "skiff-ingress",
      "-n",
      "kube-system",
      "--from-literal=http=18092",
      "--from-literal=https=18492",
    )
  }, 900_000)
  afterAll(async () => {
    await kube("delete", "deploy,sts,job,svc,ing,pvc,hpa,cm,secret,pod", "--all", "--ignore-not-found")
    await kube("delete", "configmap", "skiff-ingress", "-n", "kube-system", "--ignore-not-found")
    await eventually(async () => expect(await kube("get", "pods,pv", "-o", "name")).toBe(""), 60_000)
    const end = new Promise((ended) => server?.once("exit", ended))
    server?.kill("SIGTERM")
    await end
  }, 120_000)

  test("three pods of nginx answer by one Service, and one that is removed has a successor", async () => {
    await kube("apply", "-f", join(copyOf("kubernetes"), "three-nginx.yaml"))
    await kube("rollout", "status", "deployment/web", "--timeout=60s")
    await eventually(async () => expect(await ask(30_080)).toContain("Hello from nginx"))
    const names = async () =>
      (await kube("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}")).split(" ")
    const [first = "", ...others] = await names()
    expect(others).toHaveLength(2)
    await kube("delete", "pod", first)
    await kube("rollout", "status", "deployment/web", "--timeout=60s")
    expect(await names()).toEqual(expect.arrayContaining(others))
    expect(await names()).not.toContain(first)
    expect(await ask(30_080)).toContain("Hello from nginx")
    await kube("delete", "-f", join(copyOf("kubernetes"), "three-nginx.yaml"))
  }, 120_000)

  const notRootless = user.rootless && "an ordinary user's page was seen to stay the old one after an upgrade"
  testUnless(notRootless)(
    "Apache's chart is installed, tested, upgraded, refused by its hook, rolled back and uninstalled",
    async () => {
      const chart = join(examples, "kubernetes/apache")
      const wait = ["--wait", "--timeout", "90s"]
      // an ordinary user's may have no cgroups to limit
      const set = noLimits === false ? [] : ["--set", "resources=null"]
      expect(helm("install", "site", chart, ...wait, ...set)).toContain("STATUS: deployed")
      await eventually(async () => expect(await site()).toContain("It works, by helm"), 60_000)
      expect(await kube("get", "deploy/site", "-o", "jsonpath={.status.readyReplicas}")).toBe("2")
      // its hook has gone with its success
      expect(await kube("get", "jobs", "-o", "name")).toBe("")
      expect(helm("test", "site", "--logs")).toMatch(/Phase: +Succeeded[^]*It works, by helm/)
      expect(helm("upgrade", "site", chart, ...wait, ...set, "--set", "page=another page")).toContain("REVISION: 2")
      await eventually(async () => expect(await site()).toBe("another page"), 60_000)
      const refused = client(
        "helm",
        "upgrade",
        "site",
        chart,
        "--timeout",
        "5s",
        "--set",
        "image.tag=none",
        "--set",
        "page=never",
        "--reuse-values",
      )
      expect([refused.code, refused.said]).toEqual([1, expect.stringContaining("pre-upgrade hooks failed")])
      expect(await site()).toBe("another page")
      expect(helm("rollback", "site", "1", ...wait)).toContain("Rollback was a success")
      await eventually(async () => expect(await site()).toContain("It works, by helm"), 60_000)
      expect(helm("history", "site")).toMatch(/2 .*superseded[^]*3 .*failed[^]*4 .*deployed/)
      helm("uninstall", "site", "--wait")
      const left = "deploy,rs,svc,ing,cm,hpa,pods"
      await eventually(
        async () =>
          expect(await kube("get", left, "-l", "app.kubernetes.io/instance=site", "-o", "name")).toBe("pod/site-test"),
        30_000,
      )
    },
    240_000,
  )

  test("WordPress with MariaDB: what was written is there after a restart of both, and of an upgrade", async () => {
    const chart = join(examples, "kubernetes/blog")
    expect(helm("install", "blog", chart, "--wait", "--timeout", "180s")).toContain("STATUS: deployed")
    await eventually(async () => expect(await ask(30_082)).toContain("A blog on one machine"), 20_000)
    const php = (script: string) =>
      kube("exec", "deploy/blog", "--", "php", "-r", `require '/usr/share/wordpress/wp-load.php'; ${script}`)
    const post = "['post_title' => 'Written by a test', 'post_status' => 'publish']"
    await php(`echo wp_insert_post(${post});`)
    const uploads = "/var/lib/wordpress/wp-content/uploads"
    await kube("exec", "deploy/blog", "--", "sh", "-c", `echo kept > ${uploads}/kept.txt`)
    expect(await ask(30_082)).toContain("Written by a test")
    const password = await kube("get", "secret", "blog", "-o", "jsonpath={.data.database}")
    await kube("rollout", "restart", "statefulset/blog-db", "deployment/blog")
    for (const one of ["statefulset/blog-db", "deployment/blog"]) await kube("rollout", "status", one, "--timeout=120s")
    await eventually(async () => expect(await ask(30_082)).toContain("Written by a test"), 30_000)
    expect(await kube("exec", "deploy/blog", "--", "cat", `${uploads}/kept.txt`)).toBe("kept")
    expect(helm("upgrade", "blog", chart, "--wait", "--timeout", "120s", "--reuse-values")).toContain("REVISION: 2")
    expect(await kube("get", "secret", "blog", "-o", "jsonpath={.data.database}")).toBe(password)
    expect(helm("test", "blog")).toContain("Succeeded")
    expect(await ask(30_082)).toContain("Written by a test")
    helm("uninstall", "blog", "--wait")
    // a StatefulSet's claims outlive it
    expect(await kube("get", "pvc", "-o", "name")).toBe("persistentvolumeclaim/data-blog-db-0")
  }, 420_000)
})
