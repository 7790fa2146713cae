import { expect, test } from "bun:test"
import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { tempDirectory } from "../../../../test/support/temp-directory.ts"
import { listAt, textAt } from "../../field.ts"
import { deleteEntry, renameContext, setEntry, useContext, viewConfig } from "./edit-kubeconfig.ts"
import { readKubeconfig } from "./kubeconfig.ts"

const directory = tempDirectory("skiff-kubeconfig-")

test("a kubeconfig is made, changed and taken apart, and nobody else reads it", () => {
  const path = join(directory, "new", "config")
  expect(setEntry(path, "clusters", "c", { server: "https://h:1" }).wasThere).toBe(false)
  setEntry(path, "users", "u", { token: "secret", password: "secret" })
  setEntry(path, "contexts", "x", { cluster: "c", user: "u" })
  expect(setEntry(path, "contexts", "x", { namespace: "n" }).wasThere).toBe(true)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(() => useContext(path, "none")).toThrow('no context exists with the name: "none"')
  useContext(path, "x")
  expect(() => renameContext(path, "none", "y")).toThrow("cannot rename")
  renameContext(path, "x", "y")
  expect(readKubeconfig(path)).toMatchObject({
    "current-context": "y",
    contexts: [{ name: "y", context: { cluster: "c", user: "u", namespace: "n" } }],
  })
  const shown = JSON.stringify(viewConfig(path, {}))
  expect(shown).not.toContain("secret")
  expect(shown).toContain("REDACTED")
  expect(JSON.stringify(viewConfig(path, { raw: true }))).toContain("secret")
  setEntry(path, "users", "u", { token: undefined, password: undefined })
  expect(readFileSync(path, "utf8")).not.toContain("secret")
  deleteEntry(path, "users", "u")
  expect(() => deleteEntry(path, "users", "u")).toThrow("cannot delete user u, not in")
})

test("of several files each entry is changed where it is, and a link stays one; a view is of what the context uses", () => {
  const [one, two, link] = ["one", "two", "link"].map((name) => join(directory, name)) as [string, string, string]
  setEntry(one, "contexts", "a", { cluster: "a", user: "a" })
  setEntry(two, "contexts", "b", { cluster: "b", user: "b" })
  writeFileSync(join(directory, "ca.crt"), "PEM")
  setEntry(two, "clusters", "b", { server: "https://b", "certificate-authority": "ca.crt" })
  symlinkSync(two, link)
  const before = process.env.KUBECONFIG
  process.env.KUBECONFIG = `${one}:${link}`
  try {
    setEntry(undefined, "contexts", "b", { namespace: "n" })
    useContext(undefined, "b")
    expect(textAt(readKubeconfig(two), "contexts", 0, "context", "namespace")).toBe("n")
    expect(readFileSync(link, "utf8")).toBe(readFileSync(two, "utf8"))
    expect(listAt(readKubeconfig(one), "contexts")).toHaveLength(1)
    const view = viewConfig(undefined, { minify: true, flatten: true })
    expect(view).toMatchObject({
      contexts: [{ name: "b" }],
      clusters: [{ cluster: { "certificate-authority-data": Buffer.from("PEM").toString("base64") } }],
    })
    expect(() => viewConfig(undefined, { minify: true, context: "none" })).toThrow("cannot locate context none")
  } finally {
    if (before === undefined) delete process.env.KUBECONFIG
    else process.env.KUBECONFIG = before
  }
})
