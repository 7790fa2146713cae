import { expect, test } from "bun:test"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { listAt, textAt, type Tree } from "../field.ts"
import { accountOf } from "./accounts.ts"
import type { StoredObject } from "../objects/objects.ts"
import { admit } from "./admission/admit.ts"
import { publishAuthority } from "./admission/service-account.ts"
import { testApis } from "./api.suite.ts"
import { ISSUER, Tokens } from "./tokens.ts"

const open = testApis()
const PODS = "/api/v1/namespaces/default/pods"
const ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
const PLACE = "/var/run/secrets/kubernetes.io/serviceaccount"

const pod = (name: string, spec: object = {}): object => ({
  metadata: { name },
  spec: { containers: [{ name: "main", image: "x" }], initContainers: [{ name: "init", image: "x" }], ...spec },
})

test("a pod has its account's token, the authority and its namespace mounted, unless it or the account says no", async () => {
  const { ask } = open()
  const made = async (name: string, spec?: object): Promise<Tree> =>
    (await ask("POST", PODS, { body: pod(name, spec) })).body as Tree
  await ask("POST", ACCOUNTS, {
    body: { metadata: { name: "quiet" }, automountServiceAccountToken: false, imagePullSecrets: [{ name: "own" }] },
  })
  const usual = await made("usual")
  const volume = listAt(usual, "spec", "volumes")[0] as Tree
  const name = textAt(volume, "name")
  expect(name).toMatch(/^kube-api-access-[a-z0-9]{5}$/)
  expect(volume).toMatchObject({
    projected: {
      sources: [
        { serviceAccountToken: { path: "token", expirationSeconds: 3607 } },
        { configMap: { name: "kube-root-ca.crt" } },
        { downwardAPI: { items: [{ path: "namespace" }] } },
      ],
    },
  })
  for (const key of ["containers", "initContainers"])
    expect(listAt(listAt(usual, "spec", key)[0], "volumeMounts")).toEqual([{ name, readOnly: true, mountPath: PLACE }])
  expect(listAt(await made("no", { automountServiceAccountToken: false }), "spec", "volumes")).toEqual([])
  const quiet = await made("quiet", { serviceAccountName: "quiet" })
  expect(quiet["spec"]).toMatchObject({ serviceAccount: "quiet", imagePullSecrets: [{ name: "own" }] })
  expect(listAt(quiet, "spec", "volumes")).toEqual([])
  const asked = await made("asked", { serviceAccountName: "quiet", automountServiceAccountToken: true })
  expect(listAt(asked, "spec", "volumes")).toHaveLength(1)
  const own = [{ name: "main", image: "x", volumeMounts: [{ name: "v", mountPath: PLACE }] }]
  const given = await made("given", { containers: own, initContainers: [], volumes: [{ name: "v", emptyDir: {} }] })
  expect(listAt(given, "spec", "volumes")).toHaveLength(1)
})

test("a token is known for its audience alone, and as long as its account and what it is bound to are there", async () => {
  const { ask, objects } = open()
  const tokens = new Tokens(tempDirectory("skiff-tokens-"))
  const account = (await ask("POST", ACCOUNTS, { body: { metadata: { name: "a" } } })).body as Tree
  const bound = (await ask("POST", PODS, { body: pod("p") })).body as Tree
  const whom = { namespace: "default", name: "a", uid: textAt(account, "metadata", "uid") }
  const forPod = { kind: "Pod", name: "p", uid: textAt(bound, "metadata", "uid") } as const
  const { token } = tokens.issue(whom, { seconds: 600, bound: forPod })
  expect(accountOf(objects, tokens, token)).toMatchObject({
    audiences: [ISSUER],
    user: { name: "system:serviceaccount:default:a", extra: { "authentication.kubernetes.io/pod-name": ["p"] } },
  })
  const vault = tokens.issue(whom, { seconds: 600, audiences: ["vault"] }).token
  expect(accountOf(objects, tokens, vault)).toBeUndefined()
  expect(accountOf(objects, tokens, vault, ["other", "vault"])?.audiences).toEqual(["vault"])
  await ask("DELETE", `${PODS}/p`)
  expect(accountOf(objects, tokens, token)).toBeUndefined()
  await ask("DELETE", `${ACCOUNTS}/a`)
  await ask("POST", ACCOUNTS, { body: { metadata: { name: "a" } } })
  expect(accountOf(objects, tokens, vault, ["vault"])).toBeUndefined()
})

const asked = (name: string): StoredObject => ({
  apiVersion: "v1",
  kind: "Secret",
  type: "kubernetes.io/service-account-token",
  metadata: {
    name,
    namespace: "default",
    uid: "",
    resourceVersion: "",
    creationTimestamp: "",
    annotations: { "kubernetes.io/service-account.name": name },
  },
})

test("a Secret that asks for an account's token by its type has one, which ends with the Secret", () => {
  const { objects } = open()
  const tokens = new Tokens(tempDirectory("skiff-tokens-"))
  objects.create("serviceaccounts", {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "a", namespace: "default" },
  })
  publishAuthority(objects, "default", "PEM")
  const kind = objects.kind("secrets")
  expect(admit(objects, kind, asked("none"), tokens)["data"]).toBeUndefined()
  const made = objects.create("secrets", asked("a"))
  const filled = admit(objects, kind, made, tokens)
  const text = (key: string): string => Buffer.from(textAt(filled, "data", key), "base64").toString()
  expect([text("ca.crt"), text("namespace")]).toEqual(["PEM", "default"])
  expect(accountOf(objects, tokens, text("token"))?.user.name).toBe("system:serviceaccount:default:a")
  objects.delete("secrets", "a", "default")
  expect(accountOf(objects, tokens, text("token"))).toBeUndefined()
})

test("the authority's certificate is put into a namespace once, and anew where it is another", () => {
  const { objects } = open()
  const read = (): unknown => objects.get("configmaps", "kube-root-ca.crt", "default")["data"]
  publishAuthority(objects, "default", "one")
  const version = objects.resourceVersion()
  publishAuthority(objects, "default", "one")
  expect(objects.resourceVersion()).toBe(version)
  publishAuthority(objects, "default", "two")
  expect(read()).toEqual({ "ca.crt": "two" })
})
