import { runText } from "./package-managers.ts"
import type { Instruction, SourceRange, Stage } from "../../../dockerfile/dockerfile.ts"

/** Variables that hold a secret, by the documents of those who read them. */
const SECRET_VARIABLES = new Set([
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AZURE_CLIENT_ID",
  "AZURE_CLIENT_SECRET",
  "GITHUB_TOKEN",
  "OPENAI_API_KEY",
  "HF_TOKEN",
])
/** Front ends' builds copy such variables into what everybody downloads. */
const PUBLISHING_PREFIXES = ["VITE_", "REACT_APP_"]
/** Variables that name a file with a secret. */
const FILE_VARIABLES = new Set(["AWS_CONFIG_FILE", "HF_TOKEN_PATH", "GOOGLE_APPLICATION_CREDENTIALS"])
/** Commands that write a secret down. */
const LOGINS = [
  "aws configure set aws_access_key_id",
  "aws configure set aws_secret_access_key",
  "gcloud auth activate-service-account",
  "az login",
]

/** Where the stage that becomes the image takes in a secret (DS031). */
export function secretUses({ instructions }: Stage): { message: string; source: SourceRange }[] {
  return instructions.flatMap((instruction) =>
    messagesOf(instruction, instructions).map((message) => ({ message, source: instruction.source })),
  )
}

function messagesOf(instruction: Instruction, all: readonly Instruction[]): string[] {
  switch (instruction.kind) {
    case "arg":
      return instruction.args.flatMap(({ key, value }) => ofVariable("ARG", key, value, all))
    case "env":
      return instruction.pairs.flatMap(({ key, value }) => ofVariable("ENV", key, value, all))
    case "copy": {
      const name = instruction.target.replace(/^\$\{?|\}$/g, "")
      return instruction.target.startsWith("$") && FILE_VARIABLES.has(name)
        ? [`Possible exposure of secret file "${name}" in COPY`]
        : []
    }
    case "run": {
      if (instruction.mounts.some((mount) => mount.includes("type=secret"))) return []
      const text = runText(instruction)
      return LOGINS.some((login) => text.includes(login)) ? ["Possible exposure of secret in RUN"] : []
    }
    default:
      return []
  }
}

function ofVariable(keyword: string, name: string, value: string | undefined, all: readonly Instruction[]): string[] {
  const prefix = PUBLISHING_PREFIXES.find((one) => name.startsWith(one)) ?? ""
  if (SECRET_VARIABLES.has(name.slice(prefix.length)))
    return [`Possible exposure of secret env "${name}" in ${keyword}`]
  if (!FILE_VARIABLES.has(name) || value === undefined || value === "") return []
  const path = value.replace(/^\.(?=\/)/, "")
  const isCopied = all.some(({ kind, ...one }) => {
    const target = kind === "copy" && "target" in one ? one.target.replace(/\/$/, "") : ""
    return target !== "" && (path === target || path.startsWith(`${target}/`))
  })
  return isCopied ? [`Possible exposure of the copied secret env file "${name}" in ${keyword}`] : []
}
