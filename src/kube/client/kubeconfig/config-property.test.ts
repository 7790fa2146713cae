import { expect, test } from "bun:test"
import { readProperty, withoutProperty, withProperty } from "./config-property.ts"

const set = (document: object, name: string, value: string, isRaw = false) =>
  withProperty({ ...document }, readProperty(name, { isRaw }), value)

test("a setting of an entry whose name has dots is written, in an entry that is made for it", () => {
  const document = set({}, "clusters.shop.example.org.server", "https://10.0.0.1")
  expect(document).toEqual({ clusters: [{ name: "shop.example.org", cluster: { server: "https://10.0.0.1" } }] })
  expect(set(document, "clusters.shop.example.org.insecure-skip-tls-verify", "true")).toEqual({
    clusters: [{ name: "shop.example.org", cluster: { server: "https://10.0.0.1", "insecure-skip-tls-verify": true } }],
  })
  expect(set({}, "current-context", "a")).toEqual({ "current-context": "a" })
  expect(set({}, "users.u.exec.command", "aws")).toEqual({ users: [{ name: "u", user: { exec: { command: "aws" } } }] })
})

const data = (text: string, isRaw: boolean) => set({}, "users.u.client-key-data", text, isRaw)

test("bytes are given in base64, or as they are", () => {
  expect(data("a2V5", false)).toEqual({ users: [{ name: "u", user: { "client-key-data": "a2V5" } }] })
  expect(data("key", true)).toEqual({ users: [{ name: "u", user: { "client-key-data": "a2V5" } }] })
  expect(() => data("no base64", false)).toThrow("error decoding base64")
})

test("what a kubeconfig has not is refused", () => {
  expect(() => readProperty("preferences.colors")).toThrow("a kubeconfig has no preferences")
  expect(() => set({}, "clusters.shop", "x")).toThrow("unable to locate path clusters.shop")
  expect(() => set({}, "clusters.shop.insecure-skip-tls-verify", "maybe")).toThrow("true or false")
})

test("a setting or a whole entry is taken away, and nothing else", () => {
  const document = {
    "current-context": "c",
    contexts: [
      { name: "c", context: { cluster: "x", namespace: "shop" } },
      { name: "d", context: {} },
    ],
  }
  const unset = (name: string) => withoutProperty(document, readProperty(name))
  expect(unset("contexts.c.namespace")["contexts"]).toEqual([
    { name: "c", context: { cluster: "x" } },
    { name: "d", context: {} },
  ])
  expect(unset("contexts.d")["contexts"]).toEqual([{ name: "c", context: { cluster: "x", namespace: "shop" } }])
  expect(unset("current-context")["current-context"]).toBe("")
  expect(() => unset("contexts.e.namespace")).toThrow("current map key `e` is invalid")
})
