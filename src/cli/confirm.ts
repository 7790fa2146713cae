import { standardInput } from "./terminal/standard-input.ts"
import type { Out } from "./out.ts"

/** Asks as docker does: only `y` or `yes` is consent; without an answer nothing is done. */
export async function confirm(warning: string, out: Out): Promise<boolean> {
  out.text(`WARNING! ${warning}\nAre you sure you want to continue? [y/N] `)
  let answer = ""
  for await (const chunk of standardInput()) {
    answer += Buffer.from(chunk).toString()
    if (answer.includes("\n")) break
  }
  return /^y(?:es)?\s*$/i.test(answer.split("\n")[0] ?? "")
}
