import { readFileSync } from "node:fs"
import type { Project } from "../project.ts"
import type { ProjectLayer } from "./project-layers.ts"

/** What secrets look like, by their makers' own prefixes and forms; the names are those that docker compose tells. */
const FORMS: readonly (readonly [string, RegExp])[] = [
  ["AWS Client ID", /\b(?:A3T[A-Z0-9]|AKIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ASIA)[A-Z0-9]{16}\b/g],
  ["AWS Secret Key", /aws.{0,30}?["'][0-9a-zA-Z/+]{40}["']/gi],
  ["Github authentication", /\b(?:gh[pousr]_[0-9a-zA-Z]{36}|github_pat_[0-9a-zA-Z_]{82})/g],
  ["JSON Web Token", /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g],
  ["Private Key", /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----/g],
  ["Slack token", /\bxox[abeprs]-[0-9A-Za-z-]{10,}/g],
  ["URL with password", /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@$"']{1,100}:[^\s:/@$"']{1,100}@/g],
]

/** Undefined: nothing that goes out, nor a file of a secret or config that it names, looks like a secret. Values are not shown whole. */
export function secretsQuestion({ secrets, configs }: Project, layers: readonly ProjectLayer[]): string | undefined {
  const texts = layers.map(({ source, bytes }): [string, string] => [source, bytes.toString()])
  for (const { file } of [...Object.values(configs), ...Object.values(secrets)])
    if (file !== undefined) texts.push([file, readIfThere(file)])
  const found = texts.flatMap(([source, text]) =>
    FORMS.flatMap(([form, pattern]) =>
      [...text.matchAll(pattern)].map((match) => `${form}\n${JSON.stringify(source)}: ${match[0].slice(0, 8)}…`),
    ),
  )
  if (found.length === 0) return undefined
  return [
    "you are about to publish sensitive data within your OCI artifact.",
    "please double check that you are not leaking sensitive data",
    ...new Set(found),
    "Are you ok to publish these sensitive data?",
  ].join("\n")
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}
