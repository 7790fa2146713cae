/** Clones from a real repository, served as plain files over http. */
import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join, normalize } from "node:path"
import { findProgram } from "../../sys/host.ts"
import { serve } from "../../registry/client/test-server.ts"
import { clone } from "./git-clone.ts"
import type { WorkContext } from "./executor.ts"

const noGit = findProgram("git") === undefined
if (noGit) console.warn("skipped: git is not installed")
const context: WorkContext = { onLog: () => {}, onProgress: () => {} }

class GitLab implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "skiff-git-"))
  /** `user:password`, without which nothing is given. */
  wanted: string | undefined
  /** The words of git processes while they asked. */
  readonly seen = new Set<string>()
  readonly #server = createServer((request, response) => {
    if (this.wanted !== undefined) for (const words of gitWords()) this.seen.add(words)
    const given = /^Basic (.*)$/.exec(request.headers.authorization ?? "")?.[1]
    if (this.wanted !== undefined && Buffer.from(given ?? "", "base64").toString() !== this.wanted) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="r"' }).end()
      return
    }
    const path = join(this.directory, normalize(decodeURIComponent((request.url ?? "/").split("?")[0] ?? "/")))
    if (!existsSync(path)) response.writeHead(404).end()
    else
      createReadStream(path)
        .on("error", () => response.destroy())
        .pipe(response)
  })
  #count = 0

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve))
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/repo.git`
  }

  git(...words: string[]): string {
    const env = {
      PATH: process.env.PATH,
      HOME: "/nonexistent",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_ALLOW_PROTOCOL: "file:http",
    }
    const identity = ["-c", "user.name=t", "-c", "user.email=t@example", "-c", "init.defaultBranch=main"]
    const result = spawnSync("git", [...identity, ...words], { cwd: join(this.directory, "work"), env })
    if (result.status !== 0) throw new Error(result.stderr.toString())
    return result.stdout.toString().trim()
  }

  /** Makes a repository of what `fill` puts into its work tree, and serves it. */
  repository(fill: (work: string) => void): void {
    const work = join(this.directory, "work")
    mkdirSync(work)
    this.git("init", "-q")
    fill(work)
    this.git("add", "-A")
    this.git("commit", "-qm", "one")
    this.publish()
  }

  publish(): void {
    rmSync(join(this.directory, "repo.git"), { recursive: true, force: true })
    this.git("clone", "-q", "--bare", ".", "../repo.git")
    this.git("-C", "../repo.git", "update-server-info")
  }

  target(): string {
    const path = join(this.directory, `to-${this.#count++}`)
    mkdirSync(path)
    return path
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    rmSync(this.directory, { recursive: true })
  }
}

/** What `ps` shows of git, to everybody. */
function gitWords(): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const words = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : ""
      return words.includes("git") ? [words.replaceAll("\0", " ")] : []
    } catch {
      return []
    }
  })
}

const options = { keepGitDir: false }

test.skipIf(noGit)("clones a branch, a tag, a commit and a directory; .git stays only where it is wanted", async () => {
  await using lab = await new GitLab().open()
  lab.repository((work) => {
    mkdirSync(join(work, "sub"))
    writeFileSync(join(work, "sub/f"), "first")
  })
  const first = lab.git("rev-parse", "HEAD")
  lab.git("tag", "v1")
  lab.git("checkout", "-qb", "other")
  writeFileSync(join(lab.directory, "work/sub/f"), "second")
  lab.git("commit", "-qam", "two")
  lab.git("checkout", "-q", "main")
  lab.publish()
  for (const [fragment, text] of [
    ["", "first"],
    ["#v1", "first"],
    ["#other", "second"],
    [`#${first}`, "first"],
    ["#refs/heads/other", "second"],
  ]) {
    const directory = lab.target()
    const { commit } = await clone(`${lab.url}${fragment}`, directory, options, context)
    expect(readdirSync(directory)).toEqual(["sub"])
    expect(readFileSync(join(directory, "sub/f"), "utf8")).toBe(text ?? "")
    if (text === "first") expect(commit).toBe(first)
  }
  const sub = lab.target()
  await clone(`${lab.url}#other:sub`, sub, options, context)
  expect(readdirSync(sub)).toEqual(["f"])
  const kept = lab.target()
  await clone(lab.url, kept, { keepGitDir: true, checksum: first.slice(0, 10) }, context)
  expect(readdirSync(kept)).toEqual([".git", "sub"])
  await expect(clone(lab.url, lab.target(), { keepGitDir: false, checksum: "0000" }, context)).rejects.toThrow(
    "has commit",
  )
  await expect(clone(`${lab.url}#nope`, lab.target(), options, context)).rejects.toMatchObject({ code: "NotFound" })
  expect(readdirSync(lab.directory).filter((name) => name.endsWith(".clone"))).toEqual([])
})

test.skipIf(noGit)("a redirect, or a submodule, leads git nowhere that we would not go ourselves", async () => {
  await using lab = await new GitLab().open()
  await using elsewhere = await serve((request, response) => {
    const to = /^\/(.*?)\.git\/info/.exec(request.url ?? "")?.[1] ?? ""
    response.writeHead(302, { location: `${decodeURIComponent(to)}/info/refs?service=git-upload-pack` }).end()
  })
  for (const place of ["http://169.254.169.254", "http://[::ffff:a9fe:a9fe]", "http://100.100.100.200:80"])
    await expect(
      clone(`http://${elsewhere.host}/${encodeURIComponent(place)}.git`, lab.target(), options, context),
    ).rejects.toMatchObject({ code: "PermissionDenied", message: expect.stringContaining("refused to connect") })
  lab.repository((work) => {
    const url = "http://169.254.169.254/latest/meta-data"
    writeFileSync(join(work, ".gitmodules"), `[submodule "x"]\n\tpath = x\n\turl = ${url}\n`)
  })
  lab.git("update-index", "--add", "--cacheinfo", `160000,${lab.git("rev-parse", "HEAD")},x`)
  lab.git("commit", "-qm", "submodule")
  lab.publish()
  await expect(clone(lab.url, lab.target(), options, context)).rejects.toMatchObject({ code: "PermissionDenied" })
  // where it may go, a redirect is followed
  await clone(
    `http://${elsewhere.host}/${encodeURIComponent(lab.url)}.git`,
    lab.target(),
    { ...options, submodules: false },
    context,
  )
})

test.skipIf(noGit)(
  "what looks like an option, or asks for another protocol, is refused before git sees it",
  async () => {
    await using lab = await new GitLab().open()
    const canary = join(lab.directory, "canary")
    const hostile = [
      `${lab.url}#--upload-pack=touch ${canary}`,
      `${lab.url}#-x`,
      `${lab.url}#a..b`,
      `${lab.url}#a b`,
      "ext::sh -c touch% /tmp/x",
      `file://${lab.directory}`,
      "--upload-pack=touch",
      `ssh://-oProxyCommand=touch%20${canary}/x.git`,
      "ssh://git@-oProxyCommand=x/x.git",
      "git@-oProxyCommand=x:y.git",
    ]
    for (const url of hostile)
      await expect(clone(url, lab.target(), options, context)).rejects.toMatchObject({ code: "InvalidArgument" })
    expect(existsSync(canary)).toBe(false)
  },
)

test.skipIf(noGit)(
  "a directory of the repository leads nowhere outside it, hooks and hostile submodules run nothing",
  async () => {
    await using lab = await new GitLab().open()
    const canary = join(lab.directory, "canary")
    mkdirSync(canary)
    writeFileSync(join(canary, "secret"), "HOST")
    lab.repository((work) => {
      symlinkSync(canary, join(work, "out"))
      symlinkSync("../../../../../../../../", join(work, "up"))
      writeFileSync(join(work, "f"), "F")
    })
    for (const directory of ["../../etc", "up", "/", "up/../.."]) {
      const target = lab.target()
      await clone(`${lab.url}#main:${directory}`, target, options, context).catch(() => {})
      expect(readdirSync(target).includes("secret")).toBe(false)
      expect(existsSync(join(target, "passwd"))).toBe(false)
    }
    await expect(clone(`${lab.url}#main:out`, lab.target(), options, context)).rejects.toThrow('no directory "out"')
    writeFileSync(
      join(lab.directory, "work/.gitmodules"),
      `[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch ${canary}/run"\n[submodule "y"]\n\tpath = y\n\turl = --upload-pack=touch ${canary}/run\n`,
    )
    for (const name of ["x", "y"])
      lab.git("update-index", "--add", "--cacheinfo", `160000,${lab.git("rev-parse", "HEAD")},${name}`)
    lab.git("add", ".gitmodules")
    lab.git("commit", "-qm", "evil")
    lab.publish()
    await expect(clone(lab.url, lab.target(), options, context)).rejects.toMatchObject({ code: "Unavailable" })
    expect(readdirSync(canary)).toEqual(["secret"])
    expect((await clone(lab.url, lab.target(), { ...options, submodules: false }, context)).commit).toMatch(
      /^[0-9a-f]{40}$/,
    )
  },
)

test.skipIf(noGit)("a password in the address is in no message", async () => {
  await using lab = await new GitLab().open()
  lab.repository((work) => writeFileSync(join(work, "f"), "F"))
  const secret = lab.url.replace("//", "//user:s3cret@")
  const wanted = { ...options, checksum: "0000" }
  for (const url of [
    secret.replace("repo", "gone"),
    `${secret}#nope`,
    secret,
    `${secret}#-x`,
    secret.replace("@", "@-"),
  ]) {
    const failure: unknown = await clone(url, lab.target(), wanted, context).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Error)
    expect(String(failure)).not.toContain("s3cret")
  }
})

test.skipIf(noGit)("nothing of the caller's git settings and variables reaches it", async () => {
  await using lab = await new GitLab().open()
  const canary = join(lab.directory, "canary")
  lab.repository((work) => writeFileSync(join(work, "f"), "F"))
  const variables = {
    GIT_DIR: "/nonexistent",
    GIT_TRACE: canary,
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "core.fsmonitor",
    GIT_CONFIG_VALUE_0: `touch ${canary}`,
  }
  Object.assign(process.env, variables)
  try {
    await clone(lab.url, lab.target(), options, context)
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name]
  }
  expect(existsSync(canary)).toBe(false)
  const stop = AbortSignal.timeout(1)
  await Bun.sleep(5)
  await expect(clone(lab.url, lab.target(), options, { ...context, signal: stop })).rejects.toMatchObject({
    code: "Cancelled",
  })
})

test.skipIf(noGit)(
  "a user and password are given to the server, and are in no process's words and no file",
  async () => {
    await using lab = await new GitLab().open()
    lab.repository((work) => writeFileSync(join(work, "f"), "private"))
    lab.wanted = "me:p@ss%word/x"
    const address = lab.url.replace("//", `//me:${encodeURIComponent("p@ss%word/x")}@`)
    const directory = lab.target()
    await clone(address, directory, { keepGitDir: true }, context)
    expect(readFileSync(join(directory, "f"), "utf8")).toBe("private")
    const words = [...lab.seen].join("\n")
    expect(words).toContain("repo.git")
    expect(words).not.toMatch(/p@ss|p%40ss/)
    const grep = spawnSync("grep", ["-rlE", "p@ss|p%40ss", directory]).stdout.toString()
    expect(grep).toBe("")
    await expect(clone(lab.url, lab.target(), options, context)).rejects.toThrow("failed")
    await expect(clone(lab.url.replace("//", "//me:a%0Ab@"), lab.target(), options, context)).rejects.toThrow(
      "control character",
    )
  },
)
