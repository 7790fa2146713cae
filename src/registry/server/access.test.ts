/** Who may do what at a registry, and who is taken for whom. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { createHmac } from "node:crypto"
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isAllowed, readRules, usualRules } from "./access-rules.ts"
import { parseHtpasswd } from "./htpasswd.ts"
import { openAccess } from "./open-access.ts"
import { Tokens, TOKEN_SECONDS } from "./token.ts"
import type { Access, Action } from "./access.ts"

const hash = (password: string) => Bun.password.hashSync(password, { algorithm: "bcrypt", cost: 4 })
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`
const request = (authorization?: string) =>
  new Request("http://registry.test/v2/", {
    headers: { Host: "registry.test", ...(authorization !== undefined && { Authorization: authorization }) },
  })

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")

describe("rules", () => {
  const rules = readRules(
    {
      rule: [
        { users: ["anna"], repositories: ["team/**"], actions: ["pull", "push", "delete"] },
        { users: ["*"], repositories: ["public/*", "exact"], actions: ["pull"] },
        { users: ["anonymous"], repositories: ["public/*"], actions: ["pull"] },
      ],
    },
    "rules.toml",
  )
  test.each([
    ["anna", "push", "team/app", true],
    ["anna", "delete", "team/deep/er", true],
    ["anna", "push", "team", false],
    ["anna", "push", "teams/app", false],
    ["anna", "push", "public/app", false],
    ["bert", "pull", "public/app", true],
    ["bert", "pull", "public/app/deep", false],
    ["bert", "pull", "exact", true],
    ["bert", "pull", "exactly", false],
    ["anonymous", "pull", "public/app", true],
    ["anonymous", "pull", "exact", false],
    ["anonymous", "pull", "team/app", false],
  ] as const)("%s may %s %s: %p", (user, action, repository, expected) => {
    expect(isAllowed(rules, user, { action, repository })).toBe(expected)
  })

  test("without a file are: users may all, others nothing, or pull", () => {
    expect(isAllowed(usualRules({ anonymousPull: false }), "anonymous", { action: "pull", repository: "a" })).toBe(
      false,
    )
    expect(isAllowed(usualRules({ anonymousPull: true }), "anonymous", { action: "pull", repository: "a" })).toBe(true)
    expect(isAllowed(usualRules({ anonymousPull: true }), "anonymous", { action: "push", repository: "a" })).toBe(false)
    expect(isAllowed(usualRules({ anonymousPull: false }), "anna", { action: "delete", repository: "a" })).toBe(true)
  })

  test.each([
    [{}, "has no [[rule]]"],
    [{ rule: [], other: 1 }, 'the unknown key "other"'],
    [{ rule: [{ users: "anna" }] }, 'no list of texts as "actions" in rule 1'],
    [{ rule: [{ users: ["a"], repositories: ["a"], actions: ["fly"] }] }, 'the unknown action "fly" in rule 1'],
    [{ rule: [{ users: ["a"], repositories: ["a"], actions: ["pull"], deny: true }] }, 'unknown key "deny" in rule 1'],
  ])("that are wrong are refused: %j", (document, words) => {
    expect(() => readRules(document, "rules.toml")).toThrow(words)
  })
})

describe("a file of users", () => {
  test("has bcrypt hashes alone", () => {
    expect([...parseHtpasswd(`# users\n\nanna:${hash("x")}\n`, "users").keys()]).toEqual(["anna"])
    for (const line of ["anna:secret", "anna:$apr1$abc$def", "anna", ":x", `anna:${hash("x")}x`])
      expect(() => parseHtpasswd(`${line}\n`, "users")).toThrow('line 1 of "users" is no user with a bcrypt hash')
  })
})

describe("a token", () => {
  const key = Buffer.alloc(32, 7)
  const tokens = new Tokens(key)
  const now = 1_800_000_000_000
  const signed = (header: object, payload: object, secret: Buffer | string = key) => {
    const body = `${part(header)}.${part(payload)}`
    return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`
  }

  test("is good for a while", () => {
    const token = tokens.issue("anna", now)
    expect(tokens.user(token, now)).toBe("anna")
    expect(tokens.user(token, now + TOKEN_SECONDS * 1000 + 1)).toBeUndefined()
    expect(new Tokens(Buffer.alloc(32, 8)).user(token, now)).toBeUndefined()
  })

  // CVE-2025-24976 and its kind: neither key nor algorithm are the token's to choose
  test.each([
    ["nothing", ""],
    ["no signature", `${part({ alg: "none", typ: "JWT" })}.${part({ sub: "anna", exp: 9e9 })}.`],
    ["another algorithm", signed({ alg: "HS512", typ: "JWT" }, { sub: "anna", exp: 9e9 })],
    [
      "a key of its own",
      signed({ alg: "HS256", typ: "JWT", jwk: { kty: "oct", k: "AAAA" } }, { sub: "anna", exp: 9e9 }, Buffer.alloc(3)),
    ],
    ["a chain of its own", signed({ alg: "HS256", typ: "JWT", x5c: ["AAAA"] }, { sub: "anna", exp: 9e9 })],
    ["an empty key", signed({ alg: "HS256", typ: "JWT" }, { sub: "anna", exp: 9e9 }, "")],
    ["four parts", `${tokens.issue("anna", now)}.x`],
    ["another payload", tokens.issue("anna", now).replace(/\.[^.]+\./, `.${part({ sub: "root", exp: 9e9 })}.`)],
  ])("with %s is nobody's", (_, token) => {
    expect(tokens.user(token, now)).toBeUndefined()
  })
})

describe("access", () => {
  let directory: string
  let access: Access
  const may = async (authorization: string | undefined, action: Action, repository?: string) => {
    try {
      await access.check(request(authorization), { action, ...(repository !== undefined && { repository }) })
      return "yes"
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  const tokenOf = async (user: string, password: string): Promise<string> => {
    const answer = await access.token?.(request(basic(user, password)))
    if (answer === undefined) throw new Error("there are no tokens")
    return ((await answer.json()) as { token: string }).token
  }
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "skiff-access-"))
    writeFileSync(join(directory, "users"), `anna:${hash("secret").replace("$2b$", "$2y$")}\n`)
    access = await openAccess({ htpasswd: join(directory, "users"), anonymousPull: true, directory }, "http")
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  test("by name and password, by a token for them, or by none", async () => {
    expect(await may(basic("anna", "secret"), "push", "a")).toBe("yes")
    expect(await may(basic("anna", "secret"), "push", "a")).toBe("yes")
    expect(await may(basic("anna", "wrong"), "pull", "a")).toBe("UNAUTHORIZED")
    expect(await may(basic("nobody", "secret"), "pull", "a")).toBe("UNAUTHORIZED")
    expect(await may(basic("anonymous", ""), "pull", "a")).toBe("UNAUTHORIZED")
    expect(await may(undefined, "pull", "a")).toBe("yes")
    expect(await may(undefined, "push", "a")).toBe("UNAUTHORIZED")
    expect(await may("Bearer nonsense", "pull", "a")).toBe("UNAUTHORIZED")
    const token = await tokenOf("anna", "secret")
    expect(await may(`Bearer ${token}`, "push", "a")).toBe("yes")
    expect(
      await access.token?.(request(basic("anna", "wrong"))).catch((error: unknown) => (error as { code: string }).code),
    ).toBe("UNAUTHORIZED")
  })

  test("the first question is answered with where tokens are, also to who may pull without one", async () => {
    const error = (await access.check(request(), { action: "pull" }).catch((thrown: unknown) => thrown)) as {
      headers: Record<string, string>
    }
    expect(error.headers["WWW-Authenticate"]).toBe('Bearer realm="http://registry.test/token",service="registry.test"')
    const hostile = new Request("http://x/v2/", { headers: { Host: 'evil",realm="http://other' } })
    const other = (await access.check(hostile, { action: "pull" }).catch((thrown: unknown) => thrown)) as typeof error
    expect(other.headers["WWW-Authenticate"]).not.toContain("other")
  })

  test("a user who is taken out of the file is out at once, token or not", async () => {
    const token = await tokenOf("anna", "secret")
    expect(await may(`Bearer ${token}`, "push", "a")).toBe("yes")
    writeFileSync(join(directory, "users"), `bert:${hash("other")}\n`)
    utimesSync(join(directory, "users"), new Date(), new Date(Date.now() + 5000))
    expect(await may(basic("anna", "secret"), "push", "a")).toBe("UNAUTHORIZED")
    expect(await may(`Bearer ${token}`, "push", "a")).toBe("UNAUTHORIZED")
    expect(await may(basic("bert", "other"), "push", "a")).toBe("yes")
  })

  test("rules without users are refused", async () => {
    await expect(openAccess({ anonymousPull: true }, "http")).rejects.toThrow("rules need users")
  })
})
