import { InvalidArgument } from "../../base/errors.ts"
import { LinearExpression } from "../../base/linear-expression.ts"
import { yamlViews, type YamlView } from "../misconfiguration/yaml/yaml-view.ts"
import { SEVERITIES, type Severity } from "../scan.ts"
import { BUILTIN, type SecretRules } from "./find-secrets.ts"
import type { AllowRule, SecretRule } from "./secret-rule.ts"

/** All of one file are asked of each text. */
const MAX_RULES = 1_000

/**
 * The rules as a file of Trivy's form (`trivy-secret.yaml`) changes them: `rules`, `allow-rules`, `enable-builtin-rules`, `disable-rules`,
 * `disable-allow-rules`. Throws InvalidArgument with the file's name and line.
 */
export function readSecretConfig(text: string, name: string): SecretRules {
  let document: YamlView | undefined
  try {
    document = yamlViews(text)[0]
  } catch (cause) {
    throw new InvalidArgument(`"${name}" is not YAML: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
  if (document === undefined) return BUILTIN
  const enabled = words(document.get("enable-builtin-rules"))
  const disabled = new Set(words(document.get("disable-rules")))
  const disabledAllow = new Set(words(document.get("disable-allow-rules")))
  const builtin = BUILTIN.rules.filter(({ id }) => (enabled.length === 0 || enabled.includes(id)) && !disabled.has(id))
  const count = (document.get("rules")?.items.length ?? 0) + (document.get("allow-rules")?.items.length ?? 0)
  if (count > MAX_RULES) throw new InvalidArgument(`"${name}" has ${count} rules: at most ${MAX_RULES} are looked for`)
  const rules = (document.get("rules")?.items ?? []).map((view) => ruleOf(view, name))
  const allow = (document.get("allow-rules")?.items ?? []).map((view) => allowOf(view, name))
  return {
    rules: [...builtin, ...rules.filter(({ id }) => !disabled.has(id))],
    allow: [...BUILTIN.allow, ...allow].filter(({ id }) => !disabledAllow.has(id)),
  }
}

function words(view: YamlView | undefined): string[] {
  return (view?.items ?? []).flatMap(({ text }) => text ?? [])
}

function ruleOf(view: YamlView, file: string): SecretRule {
  const id = view.get("id")?.text
  const regex = view.get("regex")
  if (id === undefined || regex === undefined)
    throw new InvalidArgument(`"${file}", line ${view.line}: the rule has no ${id === undefined ? "id" : "regex"}`)
  const group = view.get("secret-group-name")?.text
  const severity = (view.get("severity")?.text ?? "unknown").toLowerCase()
  const path = view.get("path")
  return {
    id,
    category: view.get("category")?.text ?? "custom",
    title: view.get("title")?.text ?? id,
    severity: SEVERITIES.find((one) => one === severity) ?? ("unknown" satisfies Severity),
    keywords: words(view.get("keywords")).map((keyword) => keyword.toLowerCase()),
    pattern: patternOf(regex, file, group),
    reach: { before: 1_024, after: 4_096 },
    ...(path === undefined ? {} : { path: patternOf(path, file) }),
    allow: (view.get("allow-rules")?.items ?? []).map((one) => allowOf(one, file)),
  }
}

function allowOf(view: YamlView, file: string): AllowRule {
  const [path, regex] = [view.get("path"), view.get("regex")]
  return {
    id: view.get("id")?.text ?? "custom",
    ...(path === undefined ? {} : { path: patternOf(path, file) }),
    ...(regex === undefined ? {} : { pattern: patternOf(regex, file) }),
  }
}

/** The group that is the secret is known by one name here. Throws InvalidArgument with what is wrong, and where. */
function patternOf(view: YamlView, file: string, group?: string): LinearExpression {
  const source = view.text ?? ""
  const isOther = group !== undefined && group !== "secret"
  try {
    const named = isOther
      ? source.replace(`(?P<${group}>`, "(?P<secret>").replace(`(?<${group}>`, "(?<secret>")
      : source
    return new LinearExpression(named)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new InvalidArgument(`"${file}", line ${view.line}: ${why}`, { cause })
  }
}
