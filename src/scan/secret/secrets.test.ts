import { describe, expect, test } from "bun:test"
import { readSecretConfig } from "./config-file.ts"
import { BUILTIN, findSecrets } from "./find-secrets.ts"
import { toldSecrets } from "./hide-secrets.ts"
import { configWithoutSecrets, stepWithoutSecrets } from "./config-without-secrets.ts"
import { textOfPattern } from "./text-of-pattern.suite.ts"
import { cpuMs } from "../../../test/support/cpu-time.ts"

const find = (text: string, path = "app/settings") => findSecrets({ text, path }, BUILTIN)
const ids = (text: string, path?: string) => [...new Set(find(text, path).map(({ rule }) => rule.id))]

/** Where a rule looks only there. */
const PATHS: Record<string, string> = {
  "docker-auth": "root/.docker/config.json",
  "npm-auth-token": "root/.npmrc",
  "netrc-password": "root/.netrc",
  "pgpass-password": "root/.pgpass",
}

describe("each kind of secret", () => {
  for (const rule of BUILTIN.rules)
    test(rule.id, () => {
      // made here, so that no scanner of this repository takes it for one
      const secret = textOfPattern(rule.pattern.source)
      const path = PATHS[rule.id]
      expect(ids(`x: 1\n${secret} \n`, path)).toContain(rule.id)
      const { start = 0, end = 0 } = find(`${secret} `, path).find((one) => one.rule === rule) ?? {}
      const shorter = secret.slice(0, start) + "!" + secret.slice(start + 1, end) + secret.slice(end)
      if (
        end - start > 4 &&
        rule.id !== "url-credentials" &&
        rule.id !== "netrc-password" &&
        rule.id !== "pgpass-password"
      )
        expect(ids(shorter, path)).not.toContain(rule.id)
      expect(ids(secret.toUpperCase().replaceAll(/[0-9]/g, "~"), path)).not.toContain(
        rule.id === "url-credentials" ? "" : rule.id,
      )
    })

  test("the pattern's shortest, cut by one, is none", () => {
    for (const id of ["github-pat", "gitlab-pat", "npm-access-token", "aws-access-key-id", "digitalocean-token"]) {
      const rule = BUILTIN.rules.find((one) => one.id === id)
      expect(ids(textOfPattern(rule?.pattern.source ?? "").slice(0, -1))).toEqual([])
    }
  })
})

describe("what is no secret", () => {
  const token = textOfPattern("ghp_[0-9a-zA-Z]{36}")
  test("in tests, examples, packages' directories and texts", () => {
    for (const path of [
      "src/test/a",
      "srv/example.conf",
      "usr/lib/a",
      "usr/local/lib/python3.12/a",
      "README.md",
      "app/vendor/a",
    ])
      expect(ids(token, path)).toEqual([])
    expect(ids(token, "etc/app.conf")).toEqual(["github-pat"])
  })

  test("what goes on", () => {
    expect(ids(`x${token}`)).toEqual([])
    expect(ids(`${token}x`)).toEqual([])
    expect(ids("postgres://app:password@db:5432")).toEqual([])
    expect(ids("postgres://app:$PASSWORD@db:5432")).toEqual([])
  })
})

describe("time grows with the text alone", () => {
  const texts: [string, string][] = [
    ["keywords without end", "ghp_".repeat(500_000)],
    ["keys without end", "-----BEGIN PRIVATE KEY-----\n".repeat(40_000)],
    ["a token that never ends", `ey${"a".repeat(1_000_000)}.eyJ`],
    ["addresses without end", "https://a:".repeat(200_000)],
    ["names without value", "heroku_key = ".repeat(100_000)],
    ["secrets on one line", `${textOfPattern("ghp_[0-9a-zA-Z]{36}")} `.repeat(40_000)],
    ["secrets without end", `${textOfPattern("ghp_[0-9a-zA-Z]{36}")}\n`.repeat(20_000)],
  ]
  for (const [name, text] of texts)
    test(name, () => {
      const started = cpuMs()
      const found = find(text)
      toldSecrets(text, found, { path: "/x" })
      expect(cpuMs() - started).toBeLessThan(2_000)
    })
})

test("secrets are told of with their lines, and all on a line hidden", () => {
  const [a, b] = [textOfPattern("ghp_[0-9a-zA-Z]{36}"), textOfPattern("glpat-[0-9a-zA-Z_-]{20}")]
  const text = `one\n\u001b[31mtokens: ${a} and ${b} end\n`
  const told = toldSecrets(text, find(text), { path: "/etc/x" })
  expect(told.map(({ ruleId }) => ruleId)).toEqual(["github-pat", "gitlab-pat"])
  expect(told[0]).toMatchObject({
    class: "secret",
    isDeleted: false,
    place: { path: "/etc/x", startLine: 2, endLine: 2 },
  })
  expect(told[0]?.match).toBe(`\\x1b[31mtokens: ${"*".repeat(40)} and ${"*".repeat(26)} end`)
  for (const secret of [a, b]) expect(JSON.stringify(told)).not.toContain(secret.slice(4, 20))
})

describe("trivy-secret.yaml", () => {
  test("adds rules, turns rules and allow rules off", () => {
    const rules = readSecretConfig(
      `rules:
  - id: mine
    category: general
    title: My secret
    severity: HIGH
    keywords: [MINE]
    regex: (?i)(?P<key>mine_key)(=|:).{0,5}['"](?P<value>[0-9a-z]{8})['"]
    secret-group-name: value
    allow-rules: [{id: no, regex: nope}]
allow-rules: [{id: logs, path: ^var/log/}]
disable-rules: [github-pat]
disable-allow-rules: [markdown]
`,
      "trivy-secret.yaml",
    )
    const told = (text: string, path: string) =>
      findSecrets({ text, path }, rules).map(({ rule, start }) => `${rule.id} ${start}`)
    expect(told(`MINE_KEY="12345678"`, "a.md")).toEqual(["mine 10"])
    expect(told(`MINE_KEY="nope5678"`, "a")).toEqual([])
    expect(told(`MINE_KEY="12345678"`, "var/log/x")).toEqual([])
    expect(told(textOfPattern("ghp_[0-9a-zA-Z]{36}"), "a")).toEqual([])
  })

  test("its expressions take no more time than the text is long, whatever they are", () => {
    const rules = readSecretConfig(
      `rules:
  - {id: slow, regex: "(x+x+)+y"}
  - {id: slower, keywords: [xx], regex: "(x|xx)*(x*)*z"}
allow-rules: [{id: path, path: "(x+x+)+y"}]
`,
      "trivy-secret.yaml",
    )
    const started = cpuMs()
    findSecrets({ text: "x".repeat(100_000), path: "x".repeat(4_000) }, rules)
    expect(cpuMs() - started).toBeLessThan(5_000)
  })

  test("says what is wrong with it", () => {
    expect(() => readSecretConfig("rules:\n- id: a", "s.yaml")).toThrow('"s.yaml", line 2: the rule has no regex')
    expect(() => readSecretConfig("rules:\n- id: a\n  regex: '('", "s.yaml")).toThrow('"s.yaml", line 3')
    expect(() => readSecretConfig("rules:\n- {id: a, regex: (?=a)b}", "s.yaml")).toThrow('"s.yaml", line 2')
    expect(() => readSecretConfig(`rules:\n${"- {id: a, regex: a}\n".repeat(1_001)}`, "s.yaml")).toThrow("1001 rules")
    expect(() => readSecretConfig("a: [", "s.yaml")).toThrow("is not YAML")
  })
})

test("a configuration in a report tells no secret", () => {
  const token = textOfPattern("ghp_[0-9a-zA-Z]{36}")
  const config = {
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers" as const, diff_ids: [] },
    config: { Env: ["PATH=/bin", `GH=${token}`, "DB_PASSWORD=hunter22", "NAME=ünï"], Labels: { a: token, b: "c" } },
    history: [
      { created_by: `RUN echo ${token}` },
      { created_by: 'ENV A=b DB_PASSWORD="hunter22" C=d' },
      { empty_layer: true },
    ],
  }
  const told = configWithoutSecrets(config)
  for (const secret of [token, "hunter22"]) expect(JSON.stringify(told)).not.toContain(secret)
  expect(told.config?.Env).toEqual(["PATH=/bin", `GH=${"*".repeat(40)}`, "DB_PASSWORD=********", "NAME=ünï"])
  expect(told.config?.Labels?.b).toBe("c")
})

test("words that an image runs, and steps that made its layers, tell no secret", () => {
  const token = textOfPattern("ghp_[0-9a-zA-Z]{36}")
  const words = ["sh", "-c", `TOKEN=${token} exec app`]
  const config = {
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers" as const, diff_ids: [] },
    config: { Cmd: words, Entrypoint: words, OnBuild: [`RUN echo ${token}`], Healthcheck: { Test: words } },
  }
  expect(JSON.stringify(configWithoutSecrets(config))).not.toContain(token)
  expect(configWithoutSecrets(config).config?.Cmd?.slice(0, 2)).toEqual(["sh", "-c"])
  expect(stepWithoutSecrets(`RUN |1 DB_PASSWORD=hunter22 /bin/sh -c echo ${token}`)).toBe(
    `RUN |1 DB_PASSWORD=******** /bin/sh -c echo ${"*".repeat(40)}`,
  )
})
